#!/usr/bin/perl
# Shows the logs of a stack as one, readable: JSON lines of Stint become short human ones, the
# others are shown as they are, each behind the name of its program.
# usage: log-view.pl [--follow] [--last N] [--color] FOLDER
use strict;
use warnings;
use Time::HiRes qw(sleep);

my ($follow, $last, $color) = (0, 0, -t STDOUT && !$ENV{NO_COLOR});
while (@ARGV && $ARGV[0] =~ /^--/) {
	my $option = shift @ARGV;
	if ($option eq '--follow') { $follow = 1 }
	elsif ($option eq '--last') { $last = shift @ARGV }
	elsif ($option eq '--color') { $color = 1 }
	else { die "log-view: unknown option $option\n" }
}
my ($folder) = @ARGV or die "usage: log-view.pl [--follow] [--last N] FOLDER\n";
my %paint = (web => 36, nginx => 32, postgres => 34, redis => 31, dev => 35);
my %handle;
$| = 1;

sub painted { return $color ? "\e[$_[0]m$_[1]\e[0m" : $_[1] }

# Flat objects alone are logged: pairs of text, number, true, false, null.
sub pairs {
	my ($line) = @_;
	my @pairs;
	while ($line =~ /"((?:[^"\\]|\\.)*)":(?:"((?:[^"\\]|\\.)*)"|([^,}]+))/g) {
		my ($key, $value) = ($1, defined $2 ? $2 : $3);
		$value =~ s/\\n/ /g;
		$value =~ s/\\(["\\\/])/$1/g;
		push @pairs, [$key, $value];
	}
	return @pairs;
}

sub status_paint { my ($s) = @_; return $s >= 500 ? 31 : $s >= 400 ? 33 : $s >= 300 ? 36 : 32 }

sub human {
	my ($line) = @_;
	my @pairs = pairs($line);
	my %value = map { @$_ } @pairs;
	my $level = $value{level} // 'info';
	my %done = map { $_ => 1 } qw(ts level program msg request_id);
	my $text = $value{msg} // '';
	if (defined $value{status} && defined $value{method}) {
		my $took = defined $value{us} ? sprintf('%.1f ms', $value{us} / 1000) : defined $value{ms} ? "$value{ms} ms" : '';
		$text = sprintf '%s %-6s %s %s', painted(status_paint($value{status}), $value{status}), $value{method}, $value{path} // $value{route} // '', painted(2, $took);
		@done{qw(status method path us ms bytes organization_id member_id)} = (1) x 8;
		delete @value{qw(error)} if defined $value{error} && $value{error} =~ /^(?:-|)$/;
	}
	my @rest = map { "$_->[0]=$_->[1]" } grep { !$done{$_->[0]} && exists $value{$_->[0]} } @pairs;
	$text .= painted(2, '  ' . join ' ', @rest) if @rest;
	$text = painted(33, 'warn ') . $text if $level eq 'warn';
	$text = painted(31, 'error ') . $text if $level eq 'error';
	my ($clock) = ($value{ts} // '') =~ /T(\d\d:\d\d:\d\d)/;
	return ($clock, $text);
}

sub show {
	my ($name, $line) = @_;
	my $clock;
	($clock, $line) = human($line) if $line =~ /^\{"/;
	if (!defined $clock && $line =~ s/^\d{4}-\d\d-\d\d (\d\d:\d\d:\d\d)(?:\.\d+)? (?:UTC )?//) { $clock = $1 }
	elsif (!defined $clock && $line =~ s/^\d{4}\/\d\d\/\d\d (\d\d:\d\d:\d\d) //) { $clock = $1 }
	elsif (!defined $clock && $line =~ s/^\d+:[A-Z] \d\d \w{3} \d{4} (\d\d:\d\d:\d\d)(?:\.\d+)? //) { $clock = $1 }
	$clock //= sprintf '%02d:%02d:%02d', (gmtime)[2, 1, 0];
	printf "%s %s %s\n", painted(2, $clock), painted($paint{$name} // 37, sprintf '%-8s', $name), $line;
}

sub files { return map { m{([^/]+)\.log$} && $paint{$1} ? ($1 => $_) : () } glob "$folder/*.log" }

# New lines of every file; one that was emptied or replaced is read from its beginning.
sub step {
	my %file = files();
	for my $name (sort keys %file) {
		my $old = $handle{$name};
		my @there = stat $file{$name} or next;
		if (!$old || $old->{inode} != $there[1]) {
			open my $in, '<', $file{$name} or next;
			$old = $handle{$name} = { in => $in, inode => $there[1], held => '' };
		}
		seek $old->{in}, 0, 0 if tell($old->{in}) > $there[7];
		seek $old->{in}, 0, 1; # forget the end of file
		while (defined(my $line = readline $old->{in})) {
			$line = $old->{held} . $line;
			$old->{held} = '';
			if ($line !~ /\n\z/) { $old->{held} = $line; last }
			chomp $line;
			show($name, $line);
		}
	}
}

sub seek_back {
	my %file = files();
	for my $name (sort keys %file) {
		open my $in, '<', $file{$name} or next;
		my @lines;
		while (defined(my $line = <$in>)) { push @lines, $line; shift @lines if @lines > $last }
		chomp, show($name, $_) for @lines;
		$handle{$name} = { in => $in, inode => (stat $file{$name})[1], held => '' };
	}
}

$SIG{PIPE} = $SIG{TERM} = $SIG{HUP} = sub { exit 0 };
$SIG{INT} = 'IGNORE' if $follow && getppid() != 1 && $ENV{STINT_DEV_VIEW};
seek_back() if $last;
exit 0 if $last && !$follow;
my $parent = getppid();
while (1) {
	step();
	last unless $follow && getppid() == $parent;
	sleep 0.2;
}

# What the lints share: finding files, C without comments or without text, saying what was found.
package Lint;
use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);
use File::Find ();
our @EXPORT = qw(files content code_of found checked finish);

my $root = dirname(dirname(dirname(__FILE__)));
my ($findings, $warnings, $seen) = (0, 0, 0);

# Paths below the folders, from the clone's root, that match; what is generated is not ours.
sub files {
	my ($pattern, @folders) = @_;
	my @found;
	chdir $root or die "$root: $!\n";
	for my $folder (grep { -e } @folders) {
		File::Find::find({ no_chdir => 1, wanted => sub {
			push @found, $_ if -f && /$pattern/ && !/\.gen\.[ch]$/;
		} }, $folder);
	}
	$seen += @found;
	return sort @found;
}

sub content {
	my ($path) = @_;
	open my $in, '<', $path or die "$path: $!\n";
	local $/;
	return scalar <$in>;
}

# C with comments, and if asked text too, blanked; lines stay where they are.
sub code_of {
	my ($text, $without_text) = @_;
	$text =~ s{(/\*.*?\*/|//[^\n]*)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')}{
		defined $1 ? ($1 =~ s/[^\n]//gr || ' ') : $without_text ? '""' : $2 }gse;
	return $text;
}

sub found { my ($where, $what) = @_; print STDERR "$where: $what\n"; return ++$findings }
sub checked { my ($where, $what) = @_; print STDERR "$where: warning: $what\n"; return ++$warnings }

sub finish {
	my ($name) = @_;
	die "$name: no files were looked at\n" unless $seen;
	printf "%s: %d files, %d findings%s\n", $name, $seen, $findings, $warnings ? ", $warnings warnings" : '';
	exit($findings ? 1 : 0);
}

1;

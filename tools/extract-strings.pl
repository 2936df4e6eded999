#!/usr/bin/perl
# Gathers every string that people see into po/stint.pot: from templates {{"…" | t}}, | pattern and | plural, from
# C _(), N_() and ngettext(), the tables in *.def among them. Scripts get theirs from templates/partials/words.html, so there is nothing to gather in
# static/js. Places are given without line numbers, so that the file changes only when a string does.
#
# xgettext knows neither Mustache nor our tables; this knows nothing else.
#
# usage: extract-strings.pl [--check]    (--check: only say whether po/stint.pot is current)
use strict;
use warnings;
use utf8;
use File::Find;
use FindBin;

my $root = "$FindBin::Bin/..";
my $pot = 'po/stint.pot';
my %strings; # msgid -> {plural, files, format, note}
my $failed = 0;

sub complain {
	my ($where, $what) = @_;
	print STDERR "extract-strings: $where: $what\n";
	$failed = 1;
}

sub content {
	my ($file) = @_;
	open my $in, '<:encoding(UTF-8)', "$root/$file" or die "extract-strings: $file: $!\n";
	local $/;
	return scalar <$in>;
}

sub keep {
	my ($file, $id, $plural, $format, $note) = @_;
	return complain($file, 'an empty string cannot be translated') if $id eq '';
	my $s = $strings{$id} //= { files => {} };
	complain($file, "\"$id\" has two plurals") if defined $plural && defined $s->{plural} && $s->{plural} ne $plural;
	$s->{plural} //= $plural;
	$s->{files}{$file} = 1;
	$s->{format} ||= $format;
	$s->{note} //= $note;
}

# The text of a literal of a template, as src/view/expr.c reads it.
sub template_text {
	my ($literal) = @_;
	my $text = substr $literal, 1, -1;
	$text =~ s/\\(.)/$1 eq 'n' ? "\n" : $1/gse;
	return $text;
}

sub from_template {
	my ($file) = @_;
	my $text = content($file);
	my $literal = qr/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s;
	my $note;
	while ($text =~ /\{\{(!?)(.*?)\}\}/gs) {
		my ($comment, $tag) = ($1, $2);
		if ($comment) {
			$note = $tag =~ /^\s*(Translators:.*?)\s*$/s ? $1 : undef;
			next;
		}
		if ($tag =~ /^\s*($literal)\s*\|\s*(?:t|pattern)\b/s) {
			keep($file, template_text($1), undef, 0, $note);
		} elsif ($tag =~ /\|\s*plural\s+($literal)\s+($literal)/s) {
			keep($file, template_text($1), template_text($2), 0, $note);
		} elsif ($tag =~ /\|\s*plural\b/) {
			complain($file, "plural wants two texts in quotes: {{$tag}}");
		}
		undef $note;
	}
}

my %escape = (n => "\n", t => "\t", '"' => '"', '\\' => '\\', "'" => "'");

# "a" "b" -> ab
sub c_text {
	my ($file, $literals) = @_;
	my $text = '';
	while ($literals =~ /"((?:[^"\\]|\\.)*)"/gs) {
		my $part = $1;
		$part =~ s/\\(.)/$escape{$1} || complain($file, "\\$1 in a string for people")/gse;
		$text .= $part;
	}
	return $text;
}

sub from_c {
	my ($file) = @_;
	my $text = content($file);
	my $literals = qr/"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*/s;
	my $comment = qr{/\*.*?\*/|//[^\n]*}s;
	# Comments go, but for notes to translators, which stay with the string behind them.
	$text =~ s{($literals)|($comment)}{
		defined $1 ? $1 : $2 =~ m{^/\*\s*(Translators:.*?)\s*\*/$}s ? "\x01$1\x02" : ' '
	}gse;
	$text =~ s/^\s*#\s*define[^\n]*(?:\\\n[^\n]*)*//gm;
	while ($text =~ /(?:\x01([^\x02]*)\x02[^;"]*?)?\b(N_|_|gettext|ngettext)\(\s*($literals)\s*([,)])(?:\s*($literals)\s*,)?/gs) {
		my ($note, $by, $first, $end, $second) = ($1, $2, $3, $4, $5);
		my $id = c_text($file, $first);
		my $plural = $by eq 'ngettext' && defined $second ? c_text($file, $second) : undef;
		if ($by eq 'ngettext' ? !defined $plural : $end ne ')') {
			complain($file, "$by() wants its texts in quotes: \"$id\"");
			next;
		}
		keep($file, $id, $plural, scalar($id =~ /%[-+0-9.*]*(?:l|ll|z)?[a-zA-Z]/), $note);
	}
}

sub quoted {
	my ($text) = @_;
	$text =~ s/(["\\])/\\$1/g;
	$text =~ s/\t/\\t/g;
	$text =~ s/\n/\\n/g;
	return "\"$text\"";
}

sub pot_text {
	my $out = <<'HEADER';
# The strings of Stint. English is the language of the sources; a translation is a copy of this file.
# This file is made by tools/extract-strings.pl and distributed under the licence of Stint.
msgid ""
msgstr ""
"Project-Id-Version: stint\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Content-Transfer-Encoding: 8bit\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"
HEADER
	for my $id (sort keys %strings) {
		my $s = $strings{$id};
		$out .= "\n";
		$out .= "#. $s->{note}\n" if defined $s->{note};
		$out .= "#: $_\n" for sort keys %{$s->{files}};
		$out .= "#, c-format\n" if $s->{format};
		$out .= 'msgid ' . quoted($id) . "\n";
		$out .= defined $s->{plural} ? 'msgid_plural ' . quoted($s->{plural}) . "\nmsgstr[0] \"\"\nmsgstr[1] \"\"\n" : "msgstr \"\"\n";
	}
	return $out;
}

binmode STDERR, ':encoding(UTF-8)';
my @files;
find({ no_chdir => 1, wanted => sub { push @files, $_ =~ s{^\Q$root\E/}{}r if -f && /\.(?:html|txt|c|h|def)$/ && !/\.gen\./ } },
	"$root/templates", "$root/src");
for my $file (sort @files) {
	$file =~ /\.(?:html|txt)$/ ? from_template($file) : from_c($file);
}
exit 1 if $failed;

my $made = pot_text();
my $check = @ARGV && $ARGV[0] eq '--check';
die "usage: extract-strings.pl [--check]\n" if @ARGV && !$check;
my $there = -e "$root/$pot" ? content($pot) : '';
if ($there eq $made) {
	printf "extract-strings: %d strings, %s is current\n", scalar keys %strings, $pot;
	exit 0;
}
if ($check) {
	my %old = map { $_ => 1 } $there =~ /^msgid (".*")$/mg;
	my %new = map { quoted($_) => 1 } keys %strings;
	print STDERR "extract-strings: new: $_\n" for grep { !$old{$_} } sort keys %new;
	print STDERR "extract-strings: gone: $_\n" for grep { !$new{$_} && $_ ne '""' } sort keys %old;
	die "extract-strings: $pot is behind the sources; run tools/extract-strings.pl and commit it\n";
}
open my $to, '>:encoding(UTF-8)', "$root/$pot.new" or die "extract-strings: $pot.new: $!\n";
print {$to} $made;
close $to or die "extract-strings: $pot.new: $!\n";
rename "$root/$pot.new", "$root/$pot" or die "extract-strings: $pot: $!\n";
printf "extract-strings: %d strings written to %s\n", scalar keys %strings, $pot;

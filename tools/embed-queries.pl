#!/usr/bin/perl
# Turns SQL files into C tables, so that a program carries its own SQL and finds it by name.
#
#	embed-queries.pl queries OUT.c FILE.sql...        statements by name (struct query, db/embed.h)
#	embed-queries.pl files OUT.c SQLDIR FILE.sql...   whole files (struct sql_file, db/embed.h)
#
# A query begins with a line `-- name: tags_list` and ends before the next or at the end of the file. `:tag_id` is a
# parameter and becomes $n; the same name is the same $n. Left alone: ::casts, :=, 'strings', E'strings', $tag$ bodies,
# "identifiers" and comments (which stay behind). An array slice needs spaces: [1 : n].
#
# Only what perl-base has, since a build host may have no more.
use strict;
use warnings;

my ($mode, $out, @files) = @ARGV;
die "usage: embed-queries.pl queries OUT FILE... | files OUT SQLDIR FILE...\n" unless $mode && $out;

sub slurp {
	my ($file) = @_;
	open(my $in, '<', $file) or die "$file: $!\n";
	binmode $in;
	local $/;
	my $text = <$in>;
	close $in;
	$text = '' unless defined $text;
	die "$file: holds a NUL byte\n" if $text =~ /\0/;
	return $text;
}

sub save {
	my ($text) = @_;
	open(my $to, '>', "$out.new") or die "$out.new: $!\n";
	binmode $to;
	print $to $text or die "$out.new: $!\n";
	close $to or die "$out.new: $!\n";
	rename "$out.new", $out or die "$out: $!\n";
}

# A C string literal, one source line per line of text.
sub literal {
	my ($text) = @_;
	return '""' if $text eq '';
	my @lines;
	for my $line ($text =~ /[^\n]*\n|[^\n]+\z/g) {
		$line =~ s/([\\"])/\\$1/g;
		$line =~ s/\?/\\?/g; # no trigraphs
		$line =~ s/\t/\\t/g;
		$line =~ s/\n/\\n/g;
		$line =~ s/([\x00-\x1f\x7f-\xff])/sprintf '\\%03o', ord $1/ge;
		push @lines, qq("$line");
	}
	return join "\n\t\t", @lines;
}

# One block comment with those inside it; pos stands behind its opening.
sub skip_block_comment {
	my ($sql, $where) = @_;
	my $depth = 1;
	while ($depth) {
		if ($$sql =~ /\G(?:[^\/*]|\/(?!\*)|\*(?!\/))+/gc) { next }
		elsif ($$sql =~ /\G\/\*/gc) { $depth++ }
		elsif ($$sql =~ /\G\*\//gc) { $depth-- }
		else { die "$where: a comment /* is not closed\n" }
	}
}

# One token of a statement as it goes into the program; pos moves behind it.
sub token {
	my ($sql, $where, $param) = @_;
	my $letter = 'A-Za-z_\x80-\xff';
	return $1 if $$sql =~ /\G([Ee]'(?:[^'\\]|\\.|'')*')/gcs;
	die "$where: a string is not closed\n" if $$sql =~ /\G[Ee]'/gc;
	return $1 if $$sql =~ /\G('(?:[^']|'')*')/gc;
	die "$where: a string is not closed\n" if $$sql =~ /\G'/gc;
	return $1 if $$sql =~ /\G("(?:[^"]|"")*")/gc;
	die "$where: a quoted identifier is not closed\n" if $$sql =~ /\G"/gc;
	return $1 if $$sql =~ /\G([$letter][${letter}0-9\$]*)/gc;
	return $1 if $$sql =~ /\G([0-9][${letter}0-9.]*)/gc;
	if ($$sql =~ /\G(\$(?:[$letter][${letter}0-9]*)?\$)/gc) {
		my $quote = $1;
		$$sql =~ /\G(.*?\Q$quote\E)/gcs or die "$where: $quote is not closed\n";
		return $quote . $1;
	}
	die "$where: use :names and not \$1\n" if $$sql =~ /\G\$[0-9]/gc;
	return $1 if $$sql =~ /\G(::|:=)/gc;
	return $param->($1) if $$sql =~ /\G:([a-z_][a-z0-9_]*)/gc;
	$$sql =~ /\G(.)/gcs;
	return $1;
}

# White space and comments; undef when a token comes next.
sub gap {
	my ($sql, $where) = @_;
	return $1 if $$sql =~ /\G(\s+)/gc;
	return ' ' if $$sql =~ /\G--[^\n]*/gc;
	return undef unless $$sql =~ /\G\/\*/gc;
	skip_block_comment($sql, $where);
	return ' ';
}

# The statement with $n for parameters and without comments, and the names in the order of $1...
sub translate {
	my ($sql, $where) = @_;
	my ($text, $space, $ended, @params, %place) = ('', '', 0);
	my $param = sub {
		push @params, $_[0] unless $place{$_[0]};
		$place{$_[0]} ||= @params;
		return '$' . $place{$_[0]};
	};
	pos($sql) = 0;
	while (pos($sql) < length $sql) {
		my $gap = gap(\$sql, $where);
		if (defined $gap) { $space .= $gap; next }
		die "$where: more than one statement; give each its own `-- name:`\n" if $ended;
		if ($sql =~ /\G;/gc) { $ended = 1; next }
		$space =~ s/^.*\n//s and $space = "\n$space";
		$text .= $space . token(\$sql, $where, $param);
		$space = '';
	}
	$text =~ s/^\s+//;
	die "$where: there is no statement\n" if $text eq '';
	return ($text, @params);
}

sub read_queries {
	my (%queries, %seen_at);
	for my $file (@files) {
		my ($name, $line, $worker, @lines) = ('', 0, 0);
		my $finish = sub {
			my $sql = join '', @lines;
			if ($name eq '') {
				$sql =~ s/--[^\n]*//g;
				die "$file:1: text before the first `-- name:`\n" if $sql =~ /\S/;
				return;
			}
			my ($text, @params) = translate($sql, $seen_at{$name});
			$queries{$name} = { sql => $text, params => \@params, worker => $worker };
		};
		for my $this (slurp($file) =~ /[^\n]*\n|[^\n]+\z/g) {
			$line++;
			if ($this !~ /^--\s*name\s*:/) { push @lines, $this; next }
			$finish->();
			$this =~ /^-- name: ([a-z][a-z0-9_]{0,62})( \(worker\))?\s*$/
				or die "$file:$line: write `-- name: noun_action` in lower case, at most 63 letters, and ` (worker)` when it is the worker's\n";
			die "$file:$line: $1 stands in $seen_at{$1} already\n" if $seen_at{$1};
			($name, $worker, @lines) = ($1, defined $2 ? 1 : 0);
			$seen_at{$name} = "$file:$line";
		}
		$finish->();
	}
	return \%queries;
}

sub write_queries {
	my $queries = read_queries();
	my @names = sort keys %$queries;
	my $c = "/* Made by tools/embed-queries.pl from sql/queries. */\n#include \"db/embed.h\"\n\n";
	for my $name (@names) {
		my @params = @{ $queries->{$name}{params} };
		$c .= "static const char *const params_$name\[] = { " . join(', ', map { "\"$_\"" } @params) . " };\n" if @params;
	}
	$c .= "\nstatic const struct query table[] = {\n";
	for my $name (@names) {
		my $q = $queries->{$name};
		my $n = @{ $q->{params} };
		$c .= "\t{ .name = \"$name\", .nparams = $n, .params = " . ($n ? "params_$name" : 'NULL') . ($q->{worker} ? ', .worker = true' : '')
			. ",\n\t  .sql =\n\t\t" . literal($q->{sql}) . " },\n";
	}
	# An array may not be empty; the count says that this row is none.
	$c .= "\t{ .name = NULL },\n" unless @names;
	$c .= "};\n\nconst struct query *const embedded_queries = table;\nconst int embedded_query_count = " . @names . ";\n";
	save($c);
}

# What a file is follows from where it lies.
sub kind_of {
	my ($name) = @_;
	return 'SQL_MIGRATION' if $name =~ m{^migrations/};
	return 'SQL_FUNCTIONS' if $name =~ m{^functions/};
	return 'SQL_POLICIES' if $name eq 'policies.sql';
	return 'SQL_DATA';
}

sub write_files {
	my $dir = shift @files;
	my (%text, %number);
	for my $file (@files) {
		my $name = $file;
		$name =~ s{^\Q$dir\E/+}{} or die "$file: does not lie below $dir\n";
		if ($name =~ m{^migrations/(.*)}) {
			$1 =~ /^([0-9]{4})-[a-z0-9-]+\.sql$/ or die "$file: migrations are called NNNN-name.sql\n";
			die "$file: $number{$1} has this number already\n" if $number{$1};
			$number{$1} = $name;
		}
		$text{$name} = slurp($file);
	}
	my $c = "/* Made by tools/embed-queries.pl from sql/. */\n#include \"db/embed.h\"\n\nstatic const struct sql_file table[] = {\n";
	for my $name (sort keys %text) {
		$c .= "\t{ .name = \"$name\", .kind = " . kind_of($name) . ",\n\t  .text =\n\t\t" . literal($text{$name}) . " },\n";
	}
	$c .= "\t{ .name = NULL },\n" unless %text;
	$c .= "};\n\nconst struct sql_file *const embedded_files = table;\nconst int embedded_file_count = " . keys(%text) . ";\n";
	save($c);
}

if ($mode eq 'queries') { write_queries() }
elsif ($mode eq 'files') { write_files() }
else { die "embed-queries.pl: no mode $mode\n" }

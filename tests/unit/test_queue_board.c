/* The board: what a worker's processes know of each other, and what is left of it when one dies in the middle of a word. */
#include "unit.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue/board.h"

#define ONE "01936d3e-0000-7000-8000-000000000001"
#define TWO "01936d3e-0000-7000-8000-000000000002"

START_TEST(a_seat_shows_whole_jobs_only)
{
	struct board *b = board_new(2);
	struct seat *s = &b->seats[0], copy;
	pid_t pid = fork();
	int status, looks = 0;

	if (pid == 0) {
		for (int64_t i = 1;; i++) {
			seat_begin(s, i % 2 ? ONE : TWO, i, (int)(i % 2), i, i + 1, i + 2);
			seat_end(s);
		}
	}
	while (looks < 20000) {
		if (!seat_look(s, &copy))
			continue;
		looks++;
		if (!copy.job[0])
			continue;
		ck_assert_str_eq(copy.job, copy.lease % 2 ? ONE : TWO);
		ck_assert_int_eq(copy.kind, copy.lease % 2);
		ck_assert_int_eq(copy.since_us, copy.lease);
		ck_assert_int_eq(copy.hard_us, copy.lease + 2);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	board_free(b);
}
END_TEST

START_TEST(a_seat_that_is_being_written_is_looked_at_later)
{
	struct board *b = board_new(1);
	struct seat copy;

	seat_begin(&b->seats[0], ONE, 7, 0, 1, 2, 3);
	ck_assert(seat_look(&b->seats[0], &copy));
	atomic_fetch_add(&b->seats[0].turn, 1);
	ck_assert(!seat_look(&b->seats[0], &copy));
	board_free(b);
}
END_TEST

START_TEST(a_cancellation_is_for_one_lease)
{
	struct board *b = board_new(1);
	struct seat *s = &b->seats[0];

	seat_begin(s, ONE, 7, 0, 1, 2, 3);
	ck_assert(!seat_is_cancelled(s));
	atomic_store(&s->cancel, 7);
	ck_assert(seat_is_cancelled(s));
	seat_end(s);
	ck_assert(!seat_is_cancelled(s));
	seat_begin(s, TWO, 8, 0, 1, 2, 3);
	ck_assert(!seat_is_cancelled(s));
	seat_end(s);
	atomic_store(&s->cancel, 0);
	seat_begin(s, TWO, 0, 0, 1, 2, 3); /* a quick one */
	ck_assert(!seat_is_cancelled(s));
	board_free(b);
}
END_TEST

START_TEST(news_of_crashes_is_taken_once_and_the_rest_counted)
{
	struct board *b = board_new(1);
	struct crash crash;
	int taken = 0;

	seat_begin(&b->seats[0], ONE, 7, 0, 1, 2, 3);
	for (int i = 0; i < BOARD_CRASHES + 3; i++)
		board_crash(b, &b->seats[0], "signal 9");
	ck_assert_int_eq(atomic_load(&b->crashes_lost), 3);
	while (board_crash_take(b, &crash)) {
		ck_assert_str_eq(crash.job, ONE);
		ck_assert_int_eq(crash.lease, 7);
		ck_assert_str_eq(crash.how, "signal 9");
		taken++;
	}
	ck_assert_int_eq(taken, BOARD_CRASHES);
	board_crash(b, &b->seats[0], "again");
	ck_assert(board_crash_take(b, &crash));
	board_free(b);
}
END_TEST

/* Two keepers, as there are for a moment at a reload. */
START_TEST(two_who_take_at_once_take_different_ones)
{
	struct board *b = board_new(1);
	int pipes[2], status, sum = 0;

	ck_assert_int_eq(pipe(pipes), 0);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < BOARD_CRASHES; i++)
			board_crash(b, &b->seats[0], "x");
		for (int who = 0; who < 2; who++) {
			if (fork() == 0) {
				struct crash crash;
				char n = 0;

				while (board_crash_take(b, &crash))
					n++;
				_exit(write(pipes[1], &n, 1) == 1 ? 0 : 1);
			}
		}
		for (int who = 0; who < 2; who++) {
			char n = 0;

			ck_assert_int_eq(read(pipes[0], &n, 1), 1);
			sum += n;
			ck_assert_int_gt(wait(&status), 0);
		}
	}
	ck_assert_int_eq(sum, 50 * BOARD_CRASHES);
	close(pipes[0]);
	close(pipes[1]);
	board_free(b);
}
END_TEST

START_TEST(runs_are_counted_by_how_long_they_took)
{
	static const int64_t took_us[] = { 0, 10000, 10001, 100000, 1000000, 10000000, 60000000, 60000001 };
	struct board *b = board_new(1);

	for (size_t i = 0; i < sizeof(took_us) / sizeof(*took_us); i++)
		board_count(b, 3, OUTCOME_RETRY, took_us[i]);
	ck_assert_int_eq(atomic_load(&b->tallies[3].count[OUTCOME_RETRY]), 8);
	ck_assert_int_eq(atomic_load(&b->tallies[3].buckets[OUTCOME_RETRY][0]), 2);
	ck_assert_int_eq(atomic_load(&b->tallies[3].buckets[OUTCOME_RETRY][1]), 2);
	for (int i = 2; i < BUCKETS; i++)
		ck_assert_int_eq(atomic_load(&b->tallies[3].buckets[OUTCOME_RETRY][i]), 1);
	ck_assert_int_eq(atomic_load(&b->tallies[3].count[OUTCOME_DONE]), 0);
	board_free(b);
}
END_TEST

UNIT_MAIN("queue_board", a_seat_shows_whole_jobs_only, a_seat_that_is_being_written_is_looked_at_later, a_cancellation_is_for_one_lease,
	news_of_crashes_is_taken_once_and_the_rest_counted, two_who_take_at_once_take_different_ones, runs_are_counted_by_how_long_they_took)

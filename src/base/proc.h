#ifndef STINT_BASE_PROC_H
#define STINT_BASE_PROC_H
#include <stdint.h>

/* The process: title, no core dumps with secrets, signals, number of cores, sd_notify. */
void proc_harden(void);              /* PR_SET_DUMPABLE 0, close-on-exec stdio checks, umask 027 */
int proc_cores(void);
void proc_yield(void);               /* from now on others of this program come first: for work that may take its time */
void proc_notify(const char *state); /* sd_notify protocol on $NOTIFY_SOCKET; nothing when it is unset */

/*
 * systemd's watchdog: whoever is not heard of within WatchdogSec= is taken for hung and started anew. Told from the main loop
 * alone, since only its turning shows that the program works; twice as often as asked.
 */
struct proc_watchdog {
	int64_t every_us, told_us; /* every_us 0: nobody asks */
};
void proc_watchdog_init(struct proc_watchdog *w); /* from $WATCHDOG_USEC and $WATCHDOG_PID */
/* Tells when it is time, by the monotonic clock. Gives when to call again, at the latest: next_us or before it. */
int64_t proc_watchdog_tell(struct proc_watchdog *w, int64_t now_us, int64_t next_us);
#endif

#ifndef STINT_BASE_PROC_H
#define STINT_BASE_PROC_H
/* The process: title, no core dumps with secrets, signals, number of cores, sd_notify. */
void proc_harden(void);              /* PR_SET_DUMPABLE 0, close-on-exec stdio checks, umask 027 */
int proc_cores(void);
void proc_yield(void);               /* from now on others of this program come first: for work that may take its time */
void proc_notify(const char *state); /* sd_notify protocol on $NOTIFY_SOCKET; nothing when it is unset */
#endif

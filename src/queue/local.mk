# src/queue
noinst_LIBRARIES += src/queue/libqueue.a
src_queue_libqueue_a_SOURCES = \
	src/queue/board.c src/queue/board.h \
	src/queue/celery.c src/queue/celery.h src/queue/celery_out.c \
	src/queue/child.c src/queue/child.h \
	src/queue/crew.c src/queue/crew.h \
	src/queue/intake.c \
	src/queue/job.c src/queue/job.h \
	src/queue/keeper.c \
	src/queue/kinds.c src/queue/kinds.h \
	src/queue/pools.c \
	src/queue/quick.c \
	src/queue/relay.c \
	src/queue/runner.c src/queue/runner.h \
	src/queue/schedule.c src/queue/schedule.h \
	src/queue/sealer.c
STINT_LIBS += src/queue/libqueue.a

/* The timed loop of an open load: requests leave at fixed times whatever has come back.
 *
 * It does nothing else while the clock runs: what comes is kept, with the time at which it came, and
 * looked at afterwards, see pace.py. It does not sleep either, for what is to be measured is how
 * long an acceptor takes, not how long the kernel takes to wake the one who asks.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 64
#define BYTES_AT_ONCE (1 << 16)

static const char ACKNOWLEDGED[] = "\001150=0\001";
static const char CHECK_SUM[] = "\00110=";
#define TRAILER_BYTES 8 /* with the SOH before it, and its own */

enum outcome { FINE, OUT_OF_TIME, HUNG_UP, NO_ROOM, FAILED };

/* One session. */
struct line {
    int32_t socket;
    const char *requests;
    const uint64_t *ends; /* of each request */
    uint64_t released;    /* bytes that were due */
    uint64_t written;
    char *answers;
    uint64_t room;
    uint64_t length; /* of the answers */
    uint64_t looked; /* how far they were searched */
};

/* Bytes that came at once. */
struct arrival {
    uint64_t line;
    uint64_t length; /* of the line's answers, with them */
    int64_t at_ns;
};

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* What a call of a socket has failed of; nothing where it is only not the time for it. */
static enum outcome fault(void) {
    switch (errno) {
    case EAGAIN:
    case EINTR:
        return FINE;
    case EPIPE:
    case ECONNRESET:
        return HUNG_UP;
    default:
        return FAILED;
    }
}

/* As much of what is due as the socket takes. */
static enum outcome write_due(struct line *line) {
    while (line->written < line->released) {
        ssize_t count = send(line->socket, line->requests + line->written,
                             line->released - line->written, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0) {
            return fault();
        }
        line->written += (uint64_t)count;
    }
    return FINE;
}

/* How many orders were acknowledged by the messages that are whole and were not searched yet. */
static uint64_t acknowledged(struct line *line) {
    if (line->length - line->looked < TRAILER_BYTES) {
        return 0;
    }
    const char *from = line->answers + line->looked;
    const char *end = line->answers + line->length - TRAILER_BYTES;
    while (end >= from && memcmp(end, CHECK_SUM, sizeof CHECK_SUM - 1) != 0) {
        end--;
    }
    if (end < from) {
        return 0;
    }
    uint64_t count = 0;
    const char *found;
    while ((found = memmem(from, (size_t)(end - from), ACKNOWLEDGED, sizeof ACKNOWLEDGED - 1))) {
        count++;
        from = found + 1;
    }
    line->looked = (uint64_t)(end + TRAILER_BYTES - line->answers);
    return count;
}

static enum outcome read_some(struct line *line) {
    uint64_t left = line->room - line->length;
    if (left == 0) {
        return NO_ROOM;
    }
    ssize_t count = recv(line->socket, line->answers + line->length,
                         left < BYTES_AT_ONCE ? left : BYTES_AT_ONCE, MSG_DONTWAIT);
    if (count == 0) {
        return HUNG_UP;
    }
    if (count < 0) {
        return fault();
    }
    line->length += (uint64_t)count;
    return FINE;
}

/* Requests go to the lines in turns, `gap_ns` apart; `left_ns` is when each was begun with. */
static enum outcome run(int poll, struct line *lines, uint64_t count, uint64_t total, double gap_ns,
                        int64_t started_ns, int64_t deadline_ns, int64_t *left_ns,
                        struct arrival *arrivals, uint64_t room, uint64_t *arrived) {
    struct epoll_event events[EVENTS_AT_ONCE];
    uint64_t sent = 0, answered = 0;
    enum outcome outcome;
    while (answered < total) {
        int64_t now = now_ns();
        if (now >= deadline_ns) {
            return OUT_OF_TIME;
        }
        if (sent < total && now >= started_ns + (int64_t)((double)sent * gap_ns)) {
            struct line *line = &lines[sent % count];
            line->released = line->ends[sent / count];
            left_ns[sent++] = now;
        }
        for (uint64_t i = 0; i < count; i++) {
            if ((outcome = write_due(&lines[i])) != FINE) {
                return outcome;
            }
        }
        int ready = epoll_wait(poll, events, EVENTS_AT_ONCE, 0);
        for (int i = 0; i < ready; i++) {
            struct line *line = &lines[events[i].data.u64];
            uint64_t before = line->length;
            if ((outcome = read_some(line)) != FINE) {
                return outcome;
            }
            if (line->length > before) {
                if (*arrived == room) {
                    return NO_ROOM;
                }
                arrivals[(*arrived)++] =
                    (struct arrival){events[i].data.u64, line->length, now_ns()};
                answered += acknowledged(line);
            }
        }
    }
    return FINE;
}

int pace(struct line *lines, uint64_t count, uint64_t total, double gap_ns, int64_t started_ns,
         int64_t deadline_ns, int64_t *left_ns, struct arrival *arrivals, uint64_t room,
         uint64_t *arrived) {
    int poll = epoll_create1(0);
    enum outcome outcome = poll < 0 ? FAILED : FINE;
    for (uint64_t i = 0; i < count && outcome == FINE; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, lines[i].socket, &event) < 0) {
            outcome = FAILED;
        }
    }
    if (outcome == FINE) {
        outcome = run(poll, lines, count, total, gap_ns, started_ns, deadline_ns, left_ns, arrivals,
                      room, arrived);
    }
    if (poll >= 0) {
        close(poll);
    }
    return outcome;
}

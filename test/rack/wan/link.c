/* A WAN link in user space, for kernels without netem: two TAP devices and what happens to frames between them.
 *
 *   link DEVICE_A DEVICE_B SEED
 *
 * Creates both devices in the current network namespace (the caller moves and configures them), prints "ready", then
 * obeys one command a line on stdin and answers each with one line:
 *   delay MS   one way      loss P   0..1, each way      cut      mend      stats
 * It ends, and the devices vanish, when stdin closes: the link never outlives its owner. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 2048 /* a 1500-byte MTU, Ethernet header, VLAN tags */
#define QUEUE_FRAMES 8192
#define BURST 64 /* frames read from one side before the other has its turn */

struct frame { int64_t due; uint16_t size; uint8_t bytes[FRAME_MAX]; };
struct way { int from, to; struct frame *ring; unsigned head, count; };

static int64_t delay_ns;
static uint64_t loss_threshold, random_state; /* a frame is lost when the next 32 random bits are below the threshold */
static int is_cut;
static uint64_t forwarded, forwarded_bytes, lost, cut_off, overflowed;

static void die(const char *what) { fprintf(stderr, "link: %s: %s\n", what, strerror(errno)); exit(1); }

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint32_t random32(void) { /* xorshift64*: the same seed loses the same frames */
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (uint32_t)((random_state * 0x2545F4914F6CDD1DULL) >> 32);
}

static int open_tap(const char *name) {
  struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) die("/dev/net/tun");
  snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
  if (ioctl(fd, TUNSETIFF, &request) < 0) die(name);
  return fd;
}

static void take_in(struct way *way) {
  for (int n = 0; n < BURST; n++) {
    struct frame dropped, *slot = &dropped;
    int full = way->count == QUEUE_FRAMES;
    if (!full) slot = &way->ring[(way->head + way->count) % QUEUE_FRAMES];
    ssize_t size = read(way->from, slot->bytes, FRAME_MAX);
    if (size <= 0) return; /* EAGAIN, or EIO while the device is down */
    if (is_cut) cut_off++;
    else if (random32() < loss_threshold) lost++;
    else if (full) overflowed++;
    else {
      slot->size = (uint16_t)size;
      slot->due = now_ns() + delay_ns;
      way->count++;
    }
  }
}

static void give_out(struct way *way, int64_t now) {
  while (way->count > 0 && way->ring[way->head].due <= now) {
    struct frame *frame = &way->ring[way->head];
    if (is_cut) cut_off++; /* what was under way when the line was cut is gone too */
    else if (write(way->to, frame->bytes, frame->size) == frame->size) {
      forwarded++;
      forwarded_bytes += frame->size;
    } else overflowed++;
    way->head = (way->head + 1) % QUEUE_FRAMES;
    way->count--;
  }
}

static int64_t next_due(const struct way *ways) {
  int64_t due = INT64_MAX;
  for (int i = 0; i < 2; i++)
    if (ways[i].count > 0 && ways[i].ring[ways[i].head].due < due) due = ways[i].ring[ways[i].head].due;
  return due;
}

static void obey(const char *line) {
  double value;
  if (sscanf(line, "delay %lf", &value) == 1 && value >= 0 && value <= 60000) delay_ns = (int64_t)(value * 1e6);
  else if (sscanf(line, "loss %lf", &value) == 1 && value >= 0 && value <= 1) loss_threshold = (uint64_t)(value * 4294967296.0);
  else if (strcmp(line, "cut") == 0) is_cut = 1;
  else if (strcmp(line, "mend") == 0) is_cut = 0;
  else if (strcmp(line, "stats") == 0) {
    printf("forwarded %llu bytes %llu lost %llu cut %llu overflowed %llu\n", (unsigned long long)forwarded,
           (unsigned long long)forwarded_bytes, (unsigned long long)lost, (unsigned long long)cut_off,
           (unsigned long long)overflowed);
    return;
  } else {
    printf("error: not a command: %s\n", line);
    return;
  }
  printf("ok\n");
}

/* Commands may arrive split or several at once. Returns 0 when the owner has gone. */
static int read_commands(void) {
  static char pending[256];
  static size_t length;
  ssize_t size = read(STDIN_FILENO, pending + length, sizeof pending - 1 - length);
  if (size <= 0) return size < 0 && errno == EINTR;
  length += (size_t)size;
  pending[length] = 0;
  for (char *end; (end = strchr(pending, '\n'));) {
    *end = 0;
    obey(pending);
    length -= (size_t)(end + 1 - pending);
    memmove(pending, end + 1, length + 1);
  }
  return length < sizeof pending - 1;
}

int main(int argc, char **argv) {
  if (argc != 4) { fprintf(stderr, "usage: link DEVICE_A DEVICE_B SEED\n"); return 2; }
  setvbuf(stdout, NULL, _IOLBF, 0);
  random_state = strtoull(argv[3], NULL, 10) | 1; /* xorshift must not start at 0 */
  int a = open_tap(argv[1]), b = open_tap(argv[2]);
  struct way ways[2] = { { .from = a, .to = b }, { .from = b, .to = a } };
  for (int i = 0; i < 2; i++)
    if (!(ways[i].ring = calloc(QUEUE_FRAMES, sizeof(struct frame)))) die("memory for the queues");
  printf("ready\n");
  for (;;) {
    struct pollfd watched[3] = { { a, POLLIN, 0 }, { b, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
    int64_t due = next_due(ways), wait = due - now_ns();
    if (wait < 0) wait = 0;
    struct timespec timeout = { wait / 1000000000, wait % 1000000000 };
    if (ppoll(watched, 3, due == INT64_MAX ? NULL : &timeout, NULL) < 0 && errno != EINTR) die("poll");
    if ((watched[0].revents | watched[1].revents) & POLLERR) return 0; /* a device's namespace was deleted */
    for (int i = 0; i < 2; i++) take_in(&ways[i]);
    int64_t now = now_ns();
    for (int i = 0; i < 2; i++) give_out(&ways[i], now);
    if (watched[2].revents && !read_commands()) return 0;
  }
}

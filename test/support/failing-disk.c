/*
 * A disk that fails on command: preloaded into a process, it makes chosen system calls on files
 * named data.mdb fail. The file named by FAILING_DISK holds one line, read at every such call:
 *
 *   kinds errno skip times      for example  "page,meta 5 2 1": the third write fails with EIO
 *
 *   page    LMDB writes pages            meta    LMDB writes a meta page (O_DSYNC)
 *   ahead   Millrace writes zeros        sync    fdatasync, fsync
 *
 * The counts begin anew when the line changes. The kinds of all calls go to FAILING_DISK.seen, a
 * letter each, so that a test knows how many steps there are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static char last_line[128];
static int calls;

static int is_data_file(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 9) return 0;
  path[length] = 0;
  return strcmp(path + length - 9, "/data.mdb") == 0;
}

static const char *kind_of_write(int fd, const void *bytes, size_t length) {
  static const char zeros[24];
  if (fcntl(fd, F_GETFL) & O_DSYNC) return "meta";
  return length >= 24 && memcmp(bytes, zeros, 24) == 0 ? "ahead" : "page";
}

static void note(const char *control, char letter) {
  char path[4096];
  snprintf(path, sizeof path, "%s.seen", control);
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (fd < 0) return;
  (void)!write(fd, &letter, 1);
  close(fd);
}

/* The error that this call is to have, or 0. */
static int fault(const char *kind) {
  const char *control = getenv("FAILING_DISK");
  if (control == NULL) return 0;
  int saved = errno, result = 0;
  pthread_mutex_lock(&guard);
  note(control, kind[0]);
  FILE *file = fopen(control, "r");
  char line[128] = "";
  if (file != NULL) {
    if (fgets(line, sizeof line, file) == NULL) line[0] = 0;
    fclose(file);
  }
  if (strcmp(line, last_line) != 0) {
    strcpy(last_line, line);
    calls = 0;
  }
  char kinds[64];
  int error, skip, times;
  if (sscanf(line, "%63s %d %d %d", kinds, &error, &skip, &times) == 4 && strstr(kinds, kind)) {
    if (calls >= skip && calls - skip < times) result = error;
    calls++;
  }
  pthread_mutex_unlock(&guard);
  errno = saved;
  return result;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_WRITE(fd, bytes, length)                              \
  if (is_data_file(fd)) {                                          \
    int error = fault(kind_of_write(fd, bytes, length));           \
    if (error != 0) { errno = error; return -1; }                  \
  }
#define FAIL_SYNC(fd)                                              \
  if (is_data_file(fd)) {                                          \
    int error = fault("sync");                                     \
    if (error != 0) { errno = error; return -1; }                  \
  }

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  FAIL_WRITE(fd, bytes, length)
  return REAL(pwrite)(fd, bytes, length, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  FAIL_WRITE(fd, bytes, length)
  return REAL(pwrite64)(fd, bytes, length, at);
}
ssize_t write(int fd, const void *bytes, size_t length) {
  FAIL_WRITE(fd, bytes, length)
  return REAL(write)(fd, bytes, length);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  FAIL_WRITE(fd, parts[0].iov_base, parts[0].iov_len)
  return REAL(writev)(fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  FAIL_WRITE(fd, parts[0].iov_base, parts[0].iov_len)
  return REAL(pwritev)(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  FAIL_WRITE(fd, parts[0].iov_base, parts[0].iov_len)
  return REAL(pwritev64)(fd, parts, count, at);
}
int fdatasync(int fd) {
  FAIL_SYNC(fd)
  return REAL(fdatasync)(fd);
}
int fsync(int fd) {
  FAIL_SYNC(fd)
  return REAL(fsync)(fd);
}

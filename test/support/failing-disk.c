/*
 * A disk that fails on command: preloaded into a process, it makes chosen writes to files named
 * data.mdb fail. The file named by FAILING_DISK holds one line, read at every such call:
 *
 *   kinds error skip times      for example  "page,meta 5 2 1": the third write fails with EIO
 *
 *   page   LMDB writes pages     meta   LMDB writes a meta page (O_DSYNC)     sync   fdatasync
 *
 * Error 0 is a write that is cut short. The counts begin anew when the line changes. The kinds of
 * all calls go to FAILING_DISK.seen, a letter each, so that a test knows how many steps there are.
 * With FAILING_DISK_SHUTS_MEMORY set, /proc/self/mem cannot be opened.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NONE = -1, SHORT = 0 };

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static char last_line[128];
static int calls;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_data_file(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 9) return 0;
  path[length] = 0;
  return strcmp(path + length - 9, "/data.mdb") == 0;
}

static void note(const char *control, const char *kind) {
  char path[4096];
  snprintf(path, sizeof path, "%s.seen", control);
  FILE *file = fopen(path, "a");
  if (file == NULL) return;
  fputc(kind[0], file);
  fclose(file);
}

/* What is to become of this call. */
static int fate(const char *kind) {
  const char *control = getenv("FAILING_DISK");
  if (control == NULL) return NONE;
  int saved = errno, result = NONE;
  pthread_mutex_lock(&guard);
  note(control, kind);
  char line[128] = "", kinds[64];
  FILE *file = fopen(control, "r");
  if (file != NULL) {
    if (fgets(line, sizeof line, file) == NULL) line[0] = 0;
    fclose(file);
  }
  if (strcmp(line, last_line) != 0) {
    strcpy(last_line, line);
    calls = 0;
  }
  int error, skip, times;
  if (sscanf(line, "%63s %d %d %d", kinds, &error, &skip, &times) == 4 && strstr(kinds, kind)) {
    if (calls >= skip && calls - skip < times) result = error;
    calls++;
  }
  pthread_mutex_unlock(&guard);
  errno = saved;
  return result;
}

static int fate_of_write(int fd) {
  if (!is_data_file(fd)) return NONE;
  return fate(fcntl(fd, F_GETFL) & O_DSYNC ? "meta" : "page");
}

static int fails(int fate) {
  if (fate > 0) errno = fate;
  return fate > 0;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  int fate = fate_of_write(fd);
  if (fails(fate)) return -1;
  return REAL(pwrite)(fd, bytes, fate == SHORT ? length / 2 : length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  int fate = fate_of_write(fd);
  if (fails(fate)) return -1;
  return REAL(pwrite64)(fd, bytes, fate == SHORT ? length / 2 : length, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  int fate = fate_of_write(fd);
  if (fails(fate)) return -1;
  return REAL(writev)(fd, parts, fate == SHORT ? 1 : count);
}

int fdatasync(int fd) {
  if (is_data_file(fd) && fails(fate("sync"))) return -1;
  return REAL(fdatasync)(fd);
}

static int is_shut(const char *path) {
  return getenv("FAILING_DISK_SHUTS_MEMORY") != NULL && strcmp(path, "/proc/self/mem") == 0;
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = va_arg(more, mode_t);
  va_end(more);
  if (is_shut(path)) {
    errno = EACCES;
    return -1;
  }
  return REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = va_arg(more, mode_t);
  va_end(more);
  if (is_shut(path)) {
    errno = EACCES;
    return -1;
  }
  return REAL(open64)(path, flags, mode);
}

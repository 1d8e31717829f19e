/* Stands between a program and its files: keeps a log of what it does to one directory, and fails calls on demand.
 *
 * Law: one lock is held around each call together with its log record, so the order of the log is the order in
 * which things happened; a record is written only after its call has succeeded.
 *
 * Preloaded with LD_PRELOAD. SHIM_ROOT names the directory, as an absolute path without links. SHIM_LOG names
 * the log file, outside of it. SHIM_BOOT_ID names a file to be read in place of the kernel's boot id, so that
 * whoever opens the files later without this shim believes that the machine was started anew.
 *
 * SHIM_FAULTS names a file in which somebody else says which calls fail, or hang. SHIM_CLOCK names a file with the seconds by
 * which the wall clock of this machine is wrong.
 *
 * For the program itself: shim_mark() puts a text into the log; shim_arm() lets the calls from the first-th on fail,
 * count of them; shim_failed() tells how many have failed since; shim_disarm() ends it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { MARK = 1, OPEN, CREATE, WRITE, TRUNCATE, SYNC, SYNC_DIRECTORY, RENAME, UNLINK };

struct record {
    uint8_t kind;
    uint64_t inode;
    int64_t offset;
    uint32_t name_bytes;
    uint32_t data_bytes;
};

enum call { CALL_WRITE = 1, CALL_SYNC, CALL_TRUNCATE };
enum { HANG = -1 };

static struct { int call, error; long first, count, seen, failed; } fault;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *boot_id, *faults, *clock_file;
static ino_t faults_inode;
static long faults_ns;
static int log_fd = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void)
{
    const char *log = getenv("SHIM_LOG");
    root = getenv("SHIM_ROOT");
    boot_id = getenv("SHIM_BOOT_ID");
    faults = getenv("SHIM_FAULTS");
    clock_file = getenv("SHIM_CLOCK");
    if (log)
        log_fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (!root || (log && log_fd < 0)) {
        fprintf(stderr, "shim: SHIM_ROOT is not set, or SHIM_LOG cannot be written\n");
        _exit(99);
    }
}

static int is_ours(const char *path)
{
    size_t length = strlen(root);
    return !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

/* The wal-index is shared memory and made anew after a crash: nobody relies on its bytes. */
static int is_recorded(const char *path)
{
    size_t length = strlen(path);
    return length < 4 || strcmp(path + length - 4, "-shm");
}

/* The path behind a descriptor, or NULL if it is not one of ours. */
static const char *path_of(int fd, char *path)
{
    char link[32];
    if (!root)
        return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return NULL;
    path[length] = 0;
    return is_ours(path) ? path : NULL;
}

static uint64_t inode_of(int fd)
{
    struct stat found;
    return fstat(fd, &found) ? 0 : (uint64_t)found.st_ino;
}

static void record(enum kind kind, uint64_t inode, int64_t offset, const char *name, const void *data, size_t size)
{
    if (log_fd < 0 || !is_recorded(name))
        return;
    struct record head;
    memset(&head, 0, sizeof head);
    head.kind = kind;
    head.inode = inode;
    head.offset = offset;
    head.name_bytes = strlen(name);
    head.data_bytes = size;
    struct iovec parts[] = {{&head, sizeof head}, {(void *)name, head.name_bytes}, {(void *)data, size}};
    if (REAL(writev)(log_fd, parts, 3) != (ssize_t)(sizeof head + head.name_bytes + size)) {
        fprintf(stderr, "shim: the log cannot be written\n");
        _exit(99);
    }
}

/* Somebody outside may say what fails: a file with call, error, first and count; each file that takes its name counts
 * anew, and without one everything succeeds. */
static void look_outside(void)
{
    struct stat found;
    if (!faults)
        return;
    if (stat(faults, &found)) {
        fault.call = 0;
        faults_inode = 0;
        return;
    }
    /* A new file may get the number of one that is gone. */
    if (found.st_ino == faults_inode && found.st_mtim.tv_nsec == faults_ns)
        return;
    char text[128] = "";
    int fd = REAL(open)(faults, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        _exit(99);
    close(fd);
    memset(&fault, 0, sizeof fault);
    faults_inode = found.st_ino;
    faults_ns = found.st_mtim.tv_nsec;
    if (sscanf(text, "%d %d %ld %ld", &fault.call, &fault.error, &fault.first, &fault.count) != 4)
        _exit(99);
}

/* When the first call of this fault was met is the time of a file beside that of the faults. */
static void tell_first(void)
{
    char path[PATH_MAX];
    if (!faults || fault.failed != 1)
        return;
    snprintf(path, sizeof path, "%s.met", faults);
    int fd = REAL(open)(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || REAL(write)(fd, "\n", 1) != 1)
        _exit(99);
    close(fd);
}

/* A disk that hangs: the call returns when somebody outside wants it to. Others may call meanwhile. */
static void hang(enum call call)
{
    while (fault.call == (int)call && fault.error == HANG) {
        pthread_mutex_unlock(&lock);
        usleep(1000);
        pthread_mutex_lock(&lock);
        look_outside();
    }
}

/* The errno with which this call has to fail, or 0. */
static int due(enum call call)
{
    look_outside();
    if (fault.call != (int)call)
        return 0;
    long n = ++fault.seen;
    if (n < fault.first || n >= fault.first + fault.count)
        return 0;
    fault.failed++;
    tell_first();
    if (fault.error != HANG)
        return fault.error;
    hang(call);
    return 0;
}

void shim_arm(int call, int error, long first, long count)
{
    pthread_mutex_lock(&lock);
    memset(&fault, 0, sizeof fault);
    fault.call = call;
    fault.error = error;
    fault.first = first;
    fault.count = count;
    pthread_mutex_unlock(&lock);
}

long shim_failed(void)
{
    pthread_mutex_lock(&lock);
    long failed = fault.failed;
    pthread_mutex_unlock(&lock);
    return failed;
}

void shim_disarm(void)
{
    pthread_mutex_lock(&lock);
    fault.call = 0;
    pthread_mutex_unlock(&lock);
}

void shim_mark(const char *text)
{
    pthread_mutex_lock(&lock);
    record(MARK, 0, 0, "", text, strlen(text));
    pthread_mutex_unlock(&lock);
}

/* Where a write without an offset of its own begins. */
static off_t position(int fd)
{
    return lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
}

/* A failing write leaves its first half behind, as a disk that runs full does. */
static ssize_t guarded_pwrite(int fd, const void *data, size_t size, off_t offset)
{
    char path[PATH_MAX];
    const char *name = path_of(fd, path);
    if (!name)
        return REAL(pwrite)(fd, data, size, offset);
    pthread_mutex_lock(&lock);
    int error = due(CALL_WRITE);
    ssize_t written = REAL(pwrite)(fd, data, error ? size / 2 : size, offset);
    int saved = error ? error : errno;
    if (written > 0)
        record(WRITE, inode_of(fd), offset, name, data, (size_t)written);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return error ? -1 : written;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return guarded_pwrite(fd, data, size, offset);
}

ssize_t write(int fd, const void *data, size_t size)
{
    char path[PATH_MAX];
    const char *name = path_of(fd, path);
    if (!name)
        return REAL(write)(fd, data, size);
    pthread_mutex_lock(&lock);
    int error = due(CALL_WRITE);
    off_t offset = position(fd);
    ssize_t written = REAL(write)(fd, data, error ? size / 2 : size);
    int saved = error ? error : errno;
    if (written > 0)
        record(WRITE, inode_of(fd), offset, name, data, (size_t)written);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return error ? -1 : written;
}

/* A short write is a legal answer, and callers of writev go on after one. */
ssize_t writev(int fd, const struct iovec *parts, int count)
{
    char path[PATH_MAX];
    if (count < 1 || !path_of(fd, path))
        return REAL(writev)(fd, parts, count);
    return write(fd, parts[0].iov_base, parts[0].iov_len);
}

static int guarded_sync(int fd, int (*real)(int))
{
    char path[PATH_MAX];
    const char *name = path_of(fd, path);
    if (!name)
        return real(fd);
    pthread_mutex_lock(&lock);
    int error = due(CALL_SYNC);
    int result = error ? -1 : real(fd);
    int saved = error ? error : errno;
    if (!result)
        record(strcmp(name, root) ? SYNC : SYNC_DIRECTORY, inode_of(fd), 0, name, "", 0);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return result;
}

int fsync(int fd)
{
    return guarded_sync(fd, REAL(fsync));
}

int fdatasync(int fd)
{
    return guarded_sync(fd, REAL(fdatasync));
}

static int guarded_truncate(int fd, off_t size)
{
    char path[PATH_MAX];
    const char *name = path_of(fd, path);
    if (!name)
        return REAL(ftruncate)(fd, size);
    pthread_mutex_lock(&lock);
    int error = due(CALL_TRUNCATE);
    int result = error ? -1 : REAL(ftruncate)(fd, size);
    int saved = error ? error : errno;
    if (!result)
        record(TRUNCATE, inode_of(fd), size, name, "", 0);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return result;
}

int ftruncate(int fd, off_t size)
{
    return guarded_truncate(fd, size);
}

static int guarded_open(const char *asked, int flags, mode_t mode)
{
    char path[PATH_MAX];
    struct stat before;
    if (boot_id && !strcmp(asked, "/proc/sys/kernel/random/boot_id"))
        asked = boot_id;
    int was_there = !stat(asked, &before);
    pthread_mutex_lock(&lock);
    int fd = REAL(open)(asked, flags, mode);
    int saved = errno;
    const char *name = fd < 0 ? NULL : path_of(fd, path);
    if (name && strcmp(name, root)) {
        record(was_there ? OPEN : CREATE, inode_of(fd), 0, name, "", 0);
        if (was_there && flags & O_TRUNC)
            record(TRUNCATE, inode_of(fd), 0, name, "", 0);
    }
    pthread_mutex_unlock(&lock);
    errno = saved;
    return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
}

#define OPEN_AS(name)                                        \
    int name(const char *path, int flags, ...)               \
    {                                                        \
        va_list arguments;                                   \
        va_start(arguments, flags);                          \
        int fd = guarded_open(path, flags, mode_of(flags, arguments)); \
        va_end(arguments);                                   \
        return fd;                                           \
    }

OPEN_AS(open)

int rename(const char *from, const char *to)
{
    pthread_mutex_lock(&lock);
    int result = REAL(rename)(from, to);
    int saved = errno;
    if (!result && root && is_ours(from))
        record(RENAME, 0, 0, from, to, strlen(to));
    pthread_mutex_unlock(&lock);
    errno = saved;
    return result;
}

int unlink(const char *path)
{
    pthread_mutex_lock(&lock);
    int result = REAL(unlink)(path);
    int saved = errno;
    if (!result && root && is_ours(path))
        record(UNLINK, 0, 0, path, "", 0);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return result;
}

/* Read each time, so that somebody outside may set the clock while the program runs; steady clocks stay as they are. */
int clock_gettime(clockid_t which, struct timespec *now)
{
    static __typeof__(&clock_gettime) real;
    if (!real)
        real = REAL(clock_gettime);
    int result = real(which, now);
    if (result || which != CLOCK_REALTIME || !clock_file)
        return result;
    char text[32] = "";
    int saved = errno, fd = REAL(open)(clock_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        _exit(99);
    close(fd);
    now->tv_sec += atol(text);
    errno = saved;
    return 0;
}

/* glibc gives the same calls a second name for offsets of 64 bits; libsqlite3 and Python use that one. */
#ifdef __GLIBC__
OPEN_AS(open64)

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    return guarded_pwrite(fd, data, size, offset);
}

int ftruncate64(int fd, off64_t size)
{
    return guarded_truncate(fd, size);
}
#endif

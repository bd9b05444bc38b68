/* SPDX-License-Identifier: Apache-2.0 */
#include "shared/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <link.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include "shared/mem.h"
#include "shared/str.h"

/* what the signal handler may touch */
static volatile sig_atomic_t stopping, hung_up;
static int wake[2] = {-1, -1};

void daemon_notify(const char *state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	CLEANUP(closep) int fd = -1;

	/* sd_notify(3): a path, or "@" and a name in the abstract space */
	if ((len > 0 && path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* systemd's own time-outs notice a lost message; we have nobody to tell */
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

static void poke(void)
{
	if (wake[1] >= 0)
		(void)!write(wake[1], "", 1); /* a full pipe wakes as well */
}

static void on_signal(int sig)
{
	int saved = errno;

	if (sig == SIGHUP)
		hung_up = 1;
	else
		stopping = 1;
	poke();
	errno = saved;
}

void daemon_signals(void)
{
	struct sigaction act = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};

	sigfillset(&act.sa_mask);
	if (wake[0] < 0 && pipe2(wake, O_CLOEXEC | O_NONBLOCK))
		wake[0] = wake[1] = -1;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	/* a limit of the size of files is an error as a full disk is, not the end */
	sigaction(SIGXFSZ, &ignore, NULL);
}

bool daemon_stopping(void)
{
	return stopping;
}

const volatile sig_atomic_t *daemon_stop_flag(void)
{
	return &stopping;
}

bool daemon_take_hup(void)
{
	if (!hung_up)
		return false;
	hung_up = 0;
	return true;
}

int daemon_wake_fd(void)
{
	return wake[0];
}

void daemon_drain_wake(void)
{
	char rest[64];

	while (wake[0] >= 0 && read(wake[0], rest, sizeof(rest)) > 0)
		;
}

/* Segments that nobody can write have their bytes in their file. */
static int unmap_text(struct dl_phdr_info *object, size_t size, void *page_size)
{
	uintptr_t page = *(const uintptr_t *)page_size;

	(void)size;
	for (unsigned i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *seg = &object->dlpi_phdr[i];
		uintptr_t from = (object->dlpi_addr + seg->p_vaddr) & ~(page - 1);
		uintptr_t to = (object->dlpi_addr + seg->p_vaddr + seg->p_filesz) & ~(page - 1);

		if (seg->p_type == PT_LOAD && !(seg->p_flags & PF_W) && to > from)
			(void)!madvise((void *)from, to - from, MADV_DONTNEED); /* a hint: it may be refused */
	}
	return 0;
}

void daemon_trim(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	malloc_trim(0);
	dl_iterate_phdr(unmap_text, &page);
}

int daemon_drop(const char *user, struct err *e)
{
	CLEANUP(freep) char *room = NULL;
	struct passwd entry, *found = NULL;
	enum { ROOM = 65536 };

	if (getuid() != 0 && geteuid() != 0)
		return 0;
	room = xmalloc(ROOM);
	errno = getpwnam_r(user, &entry, room, ROOM, &found);
	if (!found && errno)
		return err_sys(e, ERR_IO, "look up user %s", user);
	if (!found)
		return err_set(e, ERR_CONFIG, "there is no user \"%s\"; make it with: useradd --system %s", user, user);
	if (initgroups(user, found->pw_gid) || setgid(found->pw_gid) || setuid(found->pw_uid))
		return err_sys(e, ERR_IO, "become user %s", user);
	if (found->pw_uid != 0 && setuid(0) == 0)
		return err_set(e, ERR_INTERNAL, "user %s can still become root", user);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_FS_H
#define FELLOE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/attr.h"
#include "shared/buf.h"
#include "shared/err.h"

/* Append the file's bytes to b (its cap holds: ERR_LIMIT). ERR_NOTFOUND when
 * there is none, ERR_IO else. */
int fs_read(struct buf *b, const char *path, struct err *e) MUSTCHECK;
/* Write the whole file under a temporary name beside it, fsync, rename, fsync
 * the directory: a reader sees the old file or the new one (rename(2)). What is
 * there and neither a regular file nor a link is left alone: ERR_IO. */
int fs_write(const char *path, const void *p, size_t n, mode_t mode, struct err *e) MUSTCHECK;
/* As fs_write, without a sync: for what only living processes read, so that none
 * of them waits for the disk. A power cut may leave an empty file. */
int fs_write_unsynced(const char *path, const void *p, size_t n, mode_t mode, struct err *e) MUSTCHECK;
/* mkdir -p; mode is for the directories that it makes. */
int fs_mkdirs(const char *path, mode_t mode, struct err *e) MUSTCHECK;
bool fs_exists(const char *path);
/* All of n bytes to fd, through short writes and EINTR. */
int fs_write_all(int fd, const void *p, size_t n, struct err *e) MUSTCHECK;
/* Read up to n bytes through EINTR and short reads; *got < n only at the end. */
int fs_read_full(int fd, void *p, size_t n, size_t *got, struct err *e) MUSTCHECK;
/* The secret in a file: its first line without the newline, at most 4 KiB.
 * A file that group or others may read is refused with the chmod to run,
 * unless it lies under CREDENTIALS_DIRECTORY. The caller wipes it. */
int fs_read_secret(char **ret, const char *path, struct err *e) MUSTCHECK;

/* Where things lie. dir --state DIR, else FELLOE_STATE; without either the
 * system's: /var/lib/felloe, /run/felloe. Set once, before any thread. */
void fs_set_state(const char *dir);
/* "/var/lib/felloe/<room>" or "DIR/<room>"; room is "master" or "node". Yours. */
char *fs_state_dir(const char *room);
/* "/run/felloe/<room>" or "DIR/run/<room>". Yours. */
char *fs_run_dir(const char *room);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_KEEPER_H
#define FELLOE_KEEPER_H

/* A small process between us and a private database server: it starts the server
 * and ends it, removing its directory, as soon as we close a pipe, be it because
 * we are done or because we were killed. (A server cannot be told to die with its
 * parent: it changes its account, which makes the kernel forget that.) */

enum { KEEPER_LOCK_FD = 3 };

/* argv: the verb, the directory, the program of the server, the one that makes its
 * system tables ("" the server does), its account ("" none to change to). Standard input is
 * the pipe, KEEPER_LOCK_FD the lock of the directory. The exit code: 0 told to end,
 * everything is removed; 1 the server ended by itself and its directory stays, for what its logs say. */
int keeper_run(char **argv);

#endif

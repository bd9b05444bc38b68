/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_IDENTITY_H
#define FELLOE_IDENTITY_H

#include <stdint.h>

#include "noded/config.h"
#include "shared/attr.h"
#include "shared/crypt.h"
#include "shared/err.h"

/* What makes this machine this node: its key pair, its API key, and a number by
 * which two machines with the same key are told apart. */

/* Where the API key lies: master.api_key_file, else state/node/api.key. Yours. */
char *identity_key_file(const struct config *c);
/* Keep the pair (state/node/identity.json, 0600): later keys are sealed for it. */
int identity_keep(const uint8_t pub[static CRYPT_KEY], const uint8_t secret[static CRYPT_KEY], struct err *e) MUSTCHECK;
/* Open a key that the master sealed for the pair, and put it in the place of the
 * one in path: on disk whole (0600) before this returns, or not at all. */
int identity_store_key(const char *path, const char *sealed_base64, const uint8_t pub[static CRYPT_KEY],
		       const uint8_t secret[static CRYPT_KEY], struct err *e) MUSTCHECK;
/* The same with the pair that was kept. ERR_NOTFOUND: none was. */
int identity_renew_key(const char *path, const char *sealed_base64, struct err *e) MUSTCHECK;

enum { INSTANCE_TEXT = 33 };
/* The same as long as this state folder lies on this machine and it is not
 * started anew; another one on a copy of it, even on one that runs beside it:
 * out of machine-id(5), the boot id (random(4)) and the folder's inode. */
void identity_instance(char text[static INSTANCE_TEXT]);

#endif

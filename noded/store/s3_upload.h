/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_STORE_S3_UPLOAD_H
#define FELLOE_STORE_S3_UPLOAD_H

#include "noded/store/s3_call.h"
#include "noded/store/store.h"

/* An object of unknown length to S3: equal parts, two at a time on a thread of
 * its own, while the caller goes on to fill the next. What fits one part goes
 * as a single PUT. The steps have the shape that struct store_ops wants. */

int s3_upload_begin(void **up, void *s3, const struct upload_opts *o, struct err *e) MUSTCHECK;
int s3_upload_write(void *up, const void *p, size_t n, struct err *e) MUSTCHECK;
int s3_upload_finish(void *up, struct err *e) MUSTCHECK;
void s3_upload_abort(void *up);
void s3_upload_free(void *up);

#endif

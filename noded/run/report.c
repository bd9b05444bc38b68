/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/run/report.h"

#include "noded/agent/outbox.h"
#include "shared/mem.h"

int report_run(const struct config *c, const struct wire_run *run, struct err *e)
{
	CLEANUP(outbox_closep) struct outbox *o = NULL;

	if (!*c->master.url)
		return 0;
	if (outbox_open(&o, e) || outbox_put_run(o, run, e))
		return err_wrap(e, "the report for the master");
	return 0;
}

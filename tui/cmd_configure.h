/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FELLOE_CMD_CONFIGURE_H
#define FELLOE_CMD_CONFIGURE_H

/* felloe configure [--apply FILE [--wait[=SECONDS]]]: the wizard on a terminal,
 * or the same without one. Returns the exit code. */
int cmd_configure(int argc, char **argv);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "noded/agent/sysstat.c"

#include "tests/unit.h"

static void cpu_counts_waiting_for_disks_as_idle_and_guests_once(void **state)
{
	uint64_t busy = 7, total = 7;

	(void)state;
	assert_true(parse_stat("cpu  100 10 50 800 40 3 2 5 60 0\ncpu0 1 1 1 1\n", &busy, &total));
	assert_int_equal(total, 1010);
	assert_int_equal(busy, 170);
	assert_true(parse_stat("cpu  1 2 3 4\n", &busy, &total)); /* an ancient kernel */
	assert_int_equal(total, 10);
	assert_false(parse_stat("cpu  1 2 x 4\n", &busy, &total));
	assert_false(parse_stat("cpu0 1 2 3 4\n", &busy, &total));
	assert_false(parse_stat("", &busy, &total));
	assert_false(parse_stat("cpu  1 2 3\nintr 5 5\n", &busy, &total));
	assert_int_equal(total, 10);
}

static void memory_used_is_what_is_not_available(void **state)
{
	struct wire_sample s;

	(void)state;
	wire_sample_init(&s);
	parse_meminfo("MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:  400 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n", &s);
	assert_int_equal(s.mem_total, 1024000);
	assert_int_equal(s.mem_used, 600 * 1024);
	assert_int_equal(s.swap_total, 0);
	assert_int_equal(s.swap_used, 0);
	wire_sample_init(&s);
	parse_meminfo("MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 250 kB\nSwapCached: 9 kB\n", &s);
	assert_int_equal(s.mem_used, 600 * 1024);
	assert_int_equal(s.swap_total, -1);
	wire_sample_init(&s);
	parse_meminfo("MemTotal: 10 kB\nMemAvailable: 99 kB\n", &s); /* a container's emulation */
	assert_int_equal(s.mem_used, 0);
	wire_sample_init(&s);
	parse_meminfo("MemTotal: much\nMemTotal", &s);
	assert_int_equal(s.mem_total, -1);
	parse_meminfo("MemTotal: 18446744073709551615 kB\n", &s);
	assert_int_equal(s.mem_total, -1);
	parse_meminfo("", &s);
	assert_int_equal(s.mem_total, -1);
}

static void load_uptime_and_pressure_are_numbers_or_unknown(void **state)
{
	double load[3] = {-1, -1, -1}, p = NAN;
	int64_t up = -1;

	(void)state;
	parse_loadavg("0.52 1.58 0.59 3/602 12345\n", load);
	assert_true(load[0] == 0.52 && load[1] == 1.58 && load[2] == 0.59);
	load[0] = -1;
	parse_loadavg("0.5 nan 1\n", load);
	parse_loadavg("0.5 1\n", load);
	parse_loadavg("1e999 1 1", load);
	assert_true(load[0] == -1);
	parse_uptime("12345.67 5.0\n", &up);
	assert_int_equal(up, 12345);
	up = -1;
	parse_uptime("", &up);
	parse_uptime("-5 1", &up);
	assert_int_equal(up, -1);
	parse_pressure("some avg10=1.25 avg60=0.10 avg300=0.00 total=12\nfull avg10=9.00\n", &p);
	assert_true(p == 1.25);
	p = NAN;
	parse_pressure("full avg10=9.00\n", &p);
	parse_pressure("some avg10=900.00\n", &p);
	parse_pressure("some avg10=\n", &p);
	assert_true(isnan(p));
}

static void traffic_is_that_of_real_cards(void **state)
{
	static const char text[] =
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
		"    lo:  100 1 0 0 0 0 0 0  100 1 0 0 0 0 0 0\n"
		"  eth0:1000 1 0 0 0 0 0 0  2000 1 0 0 0 0 0 0\n"
		"docker0:  7 1 0 0 0 0 0 0  7 1 0 0 0 0 0 0\n"
		"eth0.12:  7 1 0 0 0 0 0 0  7 1 0 0 0 0 0 0\n"
		"  ens3: 5 1 0 0 0 0 0 0  6 1 0 0 0 0 0 0\n"
		"  bad0: 5 1 0\n";
	uint64_t rx, tx;

	(void)state;
	assert_true(parse_netdev(text, &rx, &tx));
	assert_int_equal(rx, 1005);
	assert_int_equal(tx, 2006);
	assert_false(parse_netdev("", &rx, &tx));
	assert_false(parse_netdev("no colon here\n\n:::\n", &rx, &tx));
}

static bool sda_only(const char *name)
{
	return str_eq(name, "sda");
}

static void disk_traffic_is_that_of_whole_disks(void **state)
{
	static const char text[] = "   8       0 sda 10 0 200 4 20 0 400 9 0 0 0\n   8       1 sda1 9 0 190 4 20 0 390 9 0 0 0\n"
				   "   7       0 loop0 1 2\n broken\n";
	uint64_t rd, wr;

	(void)state;
	assert_true(parse_diskstats(text, sda_only, &rd, &wr));
	assert_int_equal(rd, 200 * 512);
	assert_int_equal(wr, 400 * 512);
	assert_false(parse_diskstats("8 0 sda 1 2 3\n", sda_only, &rd, &wr));
	assert_false(parse_diskstats("", sda_only, &rd, &wr));
	assert_false(is_disk("../../etc"));
	assert_false(is_disk("loop0"));
}

static void each_real_file_system_counts_once(void **state)
{
	static const char text[] =
		"22 28 0:21 / /proc rw,nosuid shared:5 - proc proc rw\n"
		"28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
		"29 28 8:2 / /srv/my\\040data rw shared:2 - xfs /dev/sda2 rw\n"
		"30 28 8:1 /var/tmp /tmp/private rw - ext4 /dev/sda1 rw\n"
		"31 28 8:2 / /d rw - xfs /dev/sda2 rw\n"
		"32 28 8:3 /sub /a rw - ext4 /dev/sdb1 rw\n"
		"33 28 8:3 / /a/very/long/path rw - ext4 /dev/sdb1 rw\n"
		"34 28 0:40 / /mnt/nas rw - nfs4 server:/x rw\n"
		"35 28 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro\n"
		"36 28 0:41 /@ /pool rw - btrfs /dev/sdc rw\n"
		"37 28 0:42 /@home /pool/home rw - btrfs /dev/sdc rw\n"
		"38 28 0:5 / /dev rw - devtmpfs udev rw\n"
		"39 28 0:50 / /run rw - tmpfs tmpfs rw\n"
		"40 28 8:9 / /no-dash rw ext4 /dev/sdd rw\n"
		"garbage\n\n";
	struct mounts m = {0};

	(void)state;
	parse_mountinfo(text, &m);
	assert_int_equal(m.n, 4);
	assert_string_equal(m.v[0].point, "/");
	assert_string_equal(m.v[1].point, "/d");
	assert_string_equal(m.v[2].point, "/a/very/long/path");
	assert_string_equal(m.v[3].point, "/pool");
	list_done(&m);
}

static void a_mount_point_with_blanks_is_read_back(void **state)
{
	struct mounts m = {0};

	(void)state;
	parse_mountinfo("29 28 8:2 / /srv/my\\040data\\134x\\9 rw shared:2 master:1 - xfs /dev/sda2 rw\n", &m);
	assert_int_equal(m.n, 1);
	assert_string_equal(m.v[0].point, "/srv/my data\\x\\9");
	list_done(&m);
}

static void the_root_counts_whatever_it_is(void **state)
{
	struct mounts m = {0};

	(void)state;
	parse_mountinfo("1 0 0:30 / / rw - overlay overlay rw\n2 1 0:31 / /x rw - overlay overlay rw\n", &m);
	assert_int_equal(m.n, 1);
	list_done(&m);
}

static void a_disk_is_full_as_df_says(void **state)
{
	struct statvfs v = {.f_frsize = 4096, .f_blocks = 100, .f_bfree = 40, .f_bavail = 35, .f_files = 10, .f_ffree = 9};
	struct wire_disk d = {0};

	(void)state;
	assert_true(disk_of(&v, &d));
	assert_int_equal(d.used, 60 * 4096);
	assert_int_equal(d.total, 95 * 4096);
	assert_true(d.percent > 63.15 && d.percent < 63.16);
	assert_true(d.inodes_percent == 10);
	v.f_files = 0; /* btrfs */
	assert_true(disk_of(&v, &d));
	assert_true(isnan(d.inodes_percent));
	v.f_blocks = 0; /* a pseudo file system */
	assert_false(disk_of(&v, &d));
}

static void a_counter_that_starts_anew_gives_no_rate(void **state)
{
	(void)state;
	assert_true(rate(3000, 1000, 2000) == 1000);
	assert_true(isnan(rate(5, 1000, 2000)));
	assert_true(isnan(rate(5, 1, 0)));
}

static void this_machine_gives_a_sample_the_master_accepts(void **state)
{
	CLEANUP(sysstat_freep) struct sysstat *st = sysstat_new();
	struct wire_sample s, back;
	struct problems p = {0};
	struct json *j = NULL;
	struct json_out o;
	struct err e;
	struct buf b;

	(void)state;
	sysstat_sample(st, &s);
	wire_sample_done(&s);
	sysstat_sample(st, &s);
	s.active_backups = 0;
	assert_true(s.mem_total > 0 && s.mem_used >= 0 && s.cores > 0 && s.disks.n > 0 && s.disk > 0);
	buf_init(&b, 1 << 20);
	json_out_init(&o, &b);
	wire_sample_put(&o, NULL, &s);
	assert_int_equal(json_parse(&j, b.p, b.len, &e), 0);
	wire_sample_get(&back, j, "", &p);
	if (p.n)
		fail_msg("%s %s", p.v[0].path, p.v[0].msg);
	wire_sample_done(&s);
	wire_sample_done(&back);
	json_free(j);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_counts_waiting_for_disks_as_idle_and_guests_once),
		cmocka_unit_test(memory_used_is_what_is_not_available),
		cmocka_unit_test(load_uptime_and_pressure_are_numbers_or_unknown),
		cmocka_unit_test(traffic_is_that_of_real_cards),
		cmocka_unit_test(disk_traffic_is_that_of_whole_disks),
		cmocka_unit_test(each_real_file_system_counts_once),
		cmocka_unit_test(a_mount_point_with_blanks_is_read_back),
		cmocka_unit_test(the_root_counts_whatever_it_is),
		cmocka_unit_test(a_disk_is_full_as_df_says),
		cmocka_unit_test(a_counter_that_starts_anew_gives_no_rate),
		cmocka_unit_test(this_machine_gives_a_sample_the_master_accepts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""schema_gen.py [--mysql] FIRST [LAST]: SQL that makes a database sN with rows for each seed N, the same for the same seed.

With --mysql without what only MariaDB has, and what MySQL has since 5.7.
Statements that a server refuses are passed over (mariadb -f): chance may ask for what cannot be.
"""
import random
import sys

r = random.Random()
MYSQL = "--mysql" in sys.argv
CHARSETS = ("utf8mb4 utf8mb3 latin1 latin2 cp1250 cp1251 cp932 sjis gbk big5 euckr ujis koi8r greek hebrew tis620 "
            "ascii ucs2 utf16 utf16le utf32 cp850 swe7 armscii8 gb2312 eucjpms binary").split()
ALPHABET = "abcXYZ019_ $%.-`'\"\\/;#*()äß日本€ж\n"
names, parents = set(), []


def ident(s):
    return "`" + s.replace("`", "``") + "`"


def name():
    while True:
        s = "".join(r.choice(ALPHABET) for _ in range(r.randint(1, 12))) if r.random() < .5 else \
            r.choice(["t", "select", "Key", "A", "a", "x"]) + str(r.randint(0, 99))
        if s.rstrip() == s and s.lower() not in names:
            names.add(s.lower())
            return s


def string(n):
    pool = r.choice(["abc XYZ", "'\"\\\0\n\r\t\x1a%_`;-#/*", "éßжא日本語😀€", "aé'\\😀\0 "])
    return "".join(r.choice(pool) for _ in range(r.randint(0, n)))


def quote(s):
    out = s
    for a, b in (("\\", "\\\\"), ("'", "\\'"), ("\0", "\\0"), ("\n", "\\n"), ("\r", "\\r"), ("\x1a", "\\Z")):
        out = out.replace(a, b)
    return "'" + out + "'"


def hexes(n):
    k = r.randint(0, n)
    return "0x" + bytes(r.randrange(256) for _ in range(k)).hex() if k else "''"


def integer(bits, unsigned):
    def value():
        low, high = (0, 2 ** bits - 1) if unsigned else (-2 ** (bits - 1), 2 ** (bits - 1) - 1)
        return str(r.choice([low, high, 0, 1, r.randint(low, high), r.randint(0, 100)]))
    return value


def real():
    return r.choice(["0", "0" if MYSQL else "-0e0", "0.1", "1e-300", "-1.7976931348623157e308", "5e-324", repr(r.uniform(-1e6, 1e6)),
                     repr(r.gauss(0, 1) * 10 ** r.randint(-30, 30))])


def decimal(m, d):
    def value():
        s = "".join(r.choice("0123456789") for _ in range(m))
        return r.choice("+-") + (s[:m - d] or "0") + ("." + s[m - d:] if d else "")
    return value


def date():
    return r.choice(["0000-00-00", "1000-01-01", "9999-12-31", "2024-02-29", "2010-00-00", "2010-05-00",
                     "%04d-%02d-%02d" % (r.randint(1, 9999), r.randint(1, 12), r.randint(1, 28))])


def clock(frac):
    s = "%02d:%02d:%02d" % (r.randint(0, 23), r.randint(0, 59), r.randint(0, 59))
    return s + ("." + "%06d" % r.randrange(10 ** 6))[:frac + 1] if frac else s


def geometry():
    p = lambda: "%r %r" % (round(r.uniform(-99, 99), r.randint(0, 12)), r.randint(-9, 9))
    return "ST_GeomFromText('%s', %d)" % (r.choice([
        "POINT(%s)" % p(), "LINESTRING(%s,%s)" % (p(), p()), "MULTIPOINT(%s,%s)" % (p(), p()),
        "POLYGON((0 0,9 0,9 9,0 9,0 0))", "GEOMETRYCOLLECTION(POINT(%s))" % p()]), r.choice([0, 4326, 77]))


def column_type():
    """The type, what makes a value of it, and whether a key may hold it (0 no, 1 yes, else the length of its beginning)."""
    k = r.randrange(16)
    if k == 0:
        t, bits = r.choice([("TINYINT", 8), ("SMALLINT", 16), ("MEDIUMINT", 24), ("INT", 32), ("BIGINT", 64)])
        u = r.random() < .4
        return t + (r.choice([" UNSIGNED", " UNSIGNED ZEROFILL"]) if u else ""), integer(bits, u), 1
    if k == 1:
        m = r.randint(1, 65)
        d = r.randint(0, min(m, 30 if MYSQL else 38))
        return "DECIMAL(%d,%d)" % (m, d), decimal(m, d), 1
    if k == 2:
        return r.choice(["FLOAT", "DOUBLE", "FLOAT(9,3)", "DOUBLE(40,20)", "DOUBLE(255,30)"]), real, 1
    if k == 3:
        n = r.randint(1, 64)
        return "BIT(%d)" % n, lambda: "b'%s'" % bin(r.getrandbits(n))[2:], 1
    if k in (4, 5):
        cs = r.choice(CHARSETS)
        n = r.randint(1, 60)
        t = r.choice(["CHAR(%d)", "VARCHAR(%d)"]) % n
        return "%s CHARACTER SET %s" % (t, cs), lambda: r.choice([quote(string(n)), hexes(n // 4)]), 1
    if k in (6, 7):
        return "%s CHARACTER SET %s" % (r.choice(["TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"]), r.choice(CHARSETS[:-1])), \
            lambda: r.choice([quote(string(60)), quote(string(9)), hexes(12)]), 7
    if k == 8:
        n = r.randint(1, 40)
        return r.choice(["BINARY(%d)", "VARBINARY(%d)"]) % n, lambda: hexes(n), 1
    if k == 9:
        return r.choice(["TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "BLOB COMPRESSED"][:4 if MYSQL else 5]), lambda: hexes(80), 0
    if k == 10:
        return "DATE", lambda: quote(date()), 1
    if k == 11:
        f = r.randint(0, 6)
        return r.choice([("DATETIME(%d)" % f, lambda: quote(date() + " " + clock(f)), 1),
                         ("TIME(%d)" % f, lambda: quote(r.choice(["", "-", "-8", "5"]) + clock(f)), 1)])
    if k == 12:
        f = r.randint(0, 6)
        return "TIMESTAMP(%d) NULL DEFAULT NULL" % f, lambda: r.choice([
            "FROM_UNIXTIME(%d.%06d)" % (r.randrange(1, 2 ** 31 - 1), r.randrange(10 ** 6)), "0"]), 1
    if k == 13:
        members = ["", "a", "it's", "b,c" if r.random() < .5 else "bc", "é", "\\", '"'][r.randint(0, 1):]
        t = r.choice(["ENUM", "SET"])
        members = [m for m in members if t == "ENUM" or "," not in m]
        return "%s(%s)" % (t, ",".join(map(quote, members))), lambda: str(r.randint(0, len(members))), 1
    if k == 14:
        return r.choice([("UUID", lambda: "UUID()", 1), ("INET6", lambda: quote("2001:db8::%x" % r.randrange(65536)), 1),
                         ("INET4", lambda: quote("10.%d.0.1" % r.randrange(256)), 1),
                         ("YEAR", lambda: str(r.choice([0, 1901, 2155, 2000])), 1),
                         ("JSON", lambda: quote('{"a": [1, "é😀", null]}'), 0)][3 if MYSQL else 0:4 if MYSQL else 5])
    return "GEOMETRY", geometry, 0


def table(triggers):
    t = name()
    columns, values, keyed, tail = [], [], [], ""
    own = set()
    versioned = r.random() < .15 and not MYSQL
    key = r.choice(["", "auto", "auto", "own"])
    if key == "auto":
        number = r.choice(["INT", "BIGINT UNSIGNED", "MEDIUMINT"])
        columns.append("id %s NOT NULL AUTO_INCREMENT PRIMARY KEY" % number)
    for _ in range(r.randint(1, 8)):
        kind, value, may_key = column_type()
        c = name()
        if c.lower() in own:
            continue
        own.add(c.lower())
        text = ident(c) + " " + kind
        if r.random() < .15 and not MYSQL:
            text += " INVISIBLE"
        if r.random() < .3:
            text += " COMMENT " + quote(string(20).replace("\0", ""))
        columns.append(text)
        values.append((c, value))
        if may_key:
            keyed.append(ident(c) + ("(%d)" % may_key if may_key > 1 else ""))
    # the text of a TIMESTAMP is another in each zone, and STORED is worked out again by whoever loads
    if r.random() < .4 and "TIMESTAMP" not in columns[-len(values)] and not MYSQL:
        columns.append("%s VARCHAR(200) AS (CONCAT('it''s ', HEX(%s))) %s" % (
            ident(name()), ident(values[0][0]), r.choice(["VIRTUAL", "STORED"])))
    if key == "own" and keyed:
        columns.append("KEY (%s)" % ", ".join(r.sample(keyed, min(len(keyed), r.randint(1, 3)))))
    if keyed and r.random() < .4:
        columns.append("KEY %s (%s DESC)" % (ident(name()), r.choice(keyed)))
    if r.random() < .2:
        columns.append("CONSTRAINT %s CHECK (%s IS NULL OR 1)" % (ident(name()), ident(values[0][0])))
    if keyed and r.random() < .15:
        columns.append("UNIQUE KEY %s (%s)" % (ident(name()), ", ".join(r.sample(keyed, min(len(keyed), 2)))))
    engine = "InnoDB" if versioned or r.random() < .8 else r.choice(["MyISAM", "CSV" if MYSQL else "Aria PAGE_CHECKSUM=1", "MEMORY"])
    if engine == "InnoDB" and r.random() < .2:
        tail += r.choice([" ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=%d" % r.choice([1, 2, 4, 8]), " ROW_FORMAT=REDUNDANT",
                          "" if MYSQL else " PAGE_COMPRESSED=1", " STATS_PERSISTENT=0", " AUTO_INCREMENT=%d" % r.randint(1, 9999)])
    if engine == "InnoDB" and key == "auto" and parents and r.random() < .3:
        other, kind = r.choice(parents)
        c = name()
        columns.append("%s %s, CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (id)%s" % (
            ident(c), kind, ident(name()), ident(c), ident(other), r.choice(["", " ON DELETE CASCADE", " ON UPDATE SET NULL"])))
    elif key == "auto" and not versioned and r.random() < .2:
        tail += r.choice([" PARTITION BY HASH (id) PARTITIONS %d" % r.randint(1, 9), " PARTITION BY KEY () PARTITIONS 3",
                          " PARTITION BY RANGE (id) (PARTITION %s VALUES LESS THAN (3), "
                          "PARTITION p VALUES LESS THAN MAXVALUE)" % ident(name())])
    if versioned:
        tail += " WITH SYSTEM VERSIONING"
    print("CREATE TABLE %s (%s) ENGINE=%s CHARSET=%s COMMENT=%s%s;" % (
        ident(t), ", ".join(columns), engine, r.choice(CHARSETS), quote(string(30).replace("\0", "")), tail))
    if key == "auto" and "PARTITION" not in tail and engine == "InnoDB":
        parents.append((t, number))
    for _ in range(r.choice([0, 1, 5, 40])):
        print("INSERT IGNORE INTO %s (%s) VALUES (%s);" % (
            ident(t), ", ".join(ident(c) for c, _ in values),
            ", ".join("NULL" if r.random() < .15 else v() for _, v in values)))
    if versioned:
        c, v = r.choice(values)
        print("UPDATE IGNORE %s SET %s = %s;\nDELETE FROM %s LIMIT 2;" % (ident(t), ident(c), v(), ident(t)))
    for _ in range(triggers):
        print("CREATE TRIGGER %s %s %s ON %s FOR EACH ROW SET @x = %s;" % (
            ident(name()), r.choice(["BEFORE", "AFTER"]), r.choice(["INSERT", "UPDATE", "DELETE"]), ident(t),
            quote(string(20).replace("\0", "").replace("\n", ""))))
    return t, [c for c, _ in values]


def schema(seed):
    r.seed(seed)
    names.clear()
    parents.clear()
    print("CREATE DATABASE s%d; USE s%d;" % (seed, seed))
    print("SET NAMES utf8mb4; SET sql_mode='%s', time_zone='%s';" % (
        r.choice(["", "NO_AUTO_VALUE_ON_ZERO", "ALLOW_INVALID_DATES"]), r.choice(["+00:00", "-05:30", "SYSTEM"])))
    print("ALTER DATABASE CHARACTER SET %s;" % r.choice(CHARSETS))
    made = [table(r.choice([0, 0, 1, 3])) for _ in range(r.randint(1, 4))]
    for _ in range(r.randint(0, 3)):
        t, columns = r.choice(made)
        v = name()
        print("CREATE VIEW %s AS SELECT %s FROM %s%s;" % (
            ident(v), ", ".join("%s AS %s" % (ident(c), ident("c%d" % i)) for i, c in enumerate(columns)), ident(t),
            r.choice(["", " WHERE 1 = 1", " LIMIT 5"])))
        made.append((v, ["c%d" % i for i in range(len(columns))]))
    for _ in range(r.choice([0, 0, 1, 2])):
        body = "%s /* %s */" % (quote(string(12).replace("\0", "")), r.choice(["", ";", "-- ", "//", "é"]))
        print("DELIMITER //\n%s//\nDELIMITER ;" % r.choice([
            "CREATE FUNCTION %s(a %s) RETURNS %s DETERMINISTIC RETURN %s" % (
                ident(name()), column_type()[0].split(" COMPRESSED")[0].split(" NULL")[0],
                r.choice(["INT", "TEXT", "DATE"]), body),
            "CREATE PROCEDURE %s(INOUT %s INT) COMMENT %s BEGIN SELECT %s; END" % (
                ident(name()), ident(name()), quote(string(20).replace("\0", "")), body),
            "CREATE EVENT %s ON SCHEDULE EVERY %d HOUR STARTS '2030-01-01' %s DO SELECT %s" % (
                ident(name()), r.randint(1, 99), r.choice(["", "DISABLE", "COMMENT 'x'"]), body)]))
    if r.random() < .3 and not MYSQL:
        print("CREATE SEQUENCE %s INCREMENT BY %d;" % (ident(name()), r.choice([1, -1, 7])))


numbers = [int(n) for n in sys.argv[1:] if n != "--mysql"]
for n in range(numbers[0], numbers[-1] + 1):
    schema(n)

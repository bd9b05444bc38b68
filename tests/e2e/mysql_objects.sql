-- A schema with each type and kind of object that the dumper has to bring over,
-- and the names and values that dumps have been broken by. Loaded into `Shop`.
SET NAMES utf8mb4;
SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO';
SET SESSION time_zone='+05:30';

CREATE SEQUENCE seq START WITH 100 INCREMENT BY 7 MINVALUE 2 MAXVALUE 1000000 CACHE 5 CYCLE;
DO NEXTVAL(seq); DO NEXTVAL(seq);
CREATE SEQUENCE `down ``seq``` START WITH -5 INCREMENT BY -3 MINVALUE -1000 MAXVALUE -1 NOCACHE;
DO NEXTVAL(`down ``seq```);

CREATE TABLE numbers (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  t TINYINT, s SMALLINT UNSIGNED, m MEDIUMINT, b BIGINT UNSIGNED, z INT(8) UNSIGNED ZEROFILL,
  d DECIMAL(65,30), f FLOAT, fs FLOAT(7,3), g DOUBLE, gs DOUBLE(12,4), y YEAR, o BOOLEAN, bits BIT(13), bits64 BIT(64)
);
INSERT INTO numbers VALUES
 (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'0', 0),
 (1, -128, 65535, -8388608, 18446744073709551615, 42, 12345678901234567890123456789012345.123456789012345678901234567890,
  0.1, 1234.567, 0.1, 12345678.1234, 1901, 1, b'1010101010101', 0xFFFFFFFFFFFFFFFF),
 (2, 127, 1, 8388607, 1, 99999999, -0.000000000000000000000000000001, 3.40282e38, -0.001, 1.7976931348623157e308, -0.5, 2155, 0,
  0x1FFF, 0x8000000000000000),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, 1, 1, 1, 1, 1, 1, 16777217, 0.125, 2.2250738585072014e-308, 1, 2026, 1, 1, 1),
 (5, 1, 1, 1, 1, 1, 1, -0e0, -0e0, -0e0, -0e0, 2026, 1, 1, 1),
 (6, 1, 1, 1, 1, 1, 1, 1.17549e-38, 99.999, 0.30000000000000004, 1, 2000, 1, 1, 1);
INSERT INTO numbers (f, g) SELECT RAND(seq) * POW(10, CAST(seq AS SIGNED) % 37 - 18), RAND(seq + 1) * POW(10, CAST(seq AS SIGNED) % 300 - 150) FROM seq_1_to_2000;

CREATE TABLE texts (
  id INT PRIMARY KEY, c CHAR(20), v VARCHAR(300) NOT NULL DEFAULT 'it''s \\ "x"\n', tt TINYTEXT, t TEXT, mt MEDIUMTEXT, lt LONGTEXT,
  e ENUM('a','it''s','\\','é',''), st SET('x','y z','q''q'), j JSON, l1 VARCHAR(50) CHARACTER SET latin1, u16 VARCHAR(50) CHARACTER SET utf16,
  u32 TEXT CHARACTER SET utf32, sj VARCHAR(50) CHARACTER SET sjis, gb VARCHAR(50) CHARACTER SET gbk, ucs VARCHAR(20) CHARACTER SET ucs2,
  u3 VARCHAR(50) CHARACTER SET utf8mb3, cs VARCHAR(50) COLLATE utf8mb4_bin
) COMMENT='a comment; with '' and \\ and */ -- # `';
INSERT INTO texts (id, v) VALUES (0, '');
INSERT INTO texts VALUES
 (1, 'plain', 'quote '' dquote " back \\ nl \n cr \r tab \t zero \0 ctrlz \Z pct %_', '-- not a comment', '/* nor this */', '# nor this', '; DELIMITER ;;',
  'it''s', 'x,q''q', '{"a": [1, 2.50, "é\\n😀"]}', 'caf\u00e9 é', '🐘é', '🐘', '日本', '中文', 'é', '€uro', 'MiXed'),
 (2, '😀', '👩‍👩‍👧‍👦 \n\r\0\Z\'\"\\', '', '', '', '', '', '', 'null', '', '', '', '', '', '', '', ''),
 (3, 'NULL', 'NULL', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, '\\', 'ends with \\', '\\\\', '''', '\\''', '`', 'é', 'x,y z', '[]', 'é', 'é', 'é', '表', '', 'é', 'é', 'É'),
 (5, 'x', REPEAT('long \\ '' \n', 20), REPEAT('x', 255), REPEAT('y', 65535), REPEAT('z\'', 400000), REPEAT('\\', 3000000), 'a', '', '{}', '', '', '', '', '', '', '', '');

CREATE TABLE bins (
  id INT PRIMARY KEY, b BINARY(8), vb VARBINARY(300) DEFAULT 0x00FF27, tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB
);
INSERT INTO bins VALUES
 (1, 'ab', '', '', '', '', ''), (2, NULL, NULL, NULL, NULL, NULL, NULL),
 (3, 0x0001020304050607, UNHEX('FF00275C220A0D1A'), 'a', 0x00, UNHEX(REPEAT('00FF', 100)), UNHEX(REPEAT('DEADBEEF', 700000)));

-- bytes that Unicode has no character for, or the same for two of them
CREATE TABLE odd_bytes (c VARCHAR(9) CHARACTER SET cp932 COLLATE cp932_bin, w CHAR(4) CHARACTER SET cp1250, e ENUM('ř','it''s') CHARACTER SET cp1250, a TEXT CHARACTER SET ascii);
INSERT INTO odd_bytes VALUES (0x8790, 0x83, 'ř', 0xE927), (0x81E0, '', 'it''s', 'plain'), (NULL, NULL, NULL, NULL);

CREATE TABLE times (
  id INT PRIMARY KEY, d DATE, t TIME(6), dt DATETIME(3), ts TIMESTAMP(6) NULL, auto TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP
);
INSERT INTO times VALUES
 (1, '0000-00-00', '-838:59:59.000000', '0000-00-00 00:00:00', '1970-01-01 05:30:01', '2026-03-29 02:30:00'),
 (2, '9999-12-31', '838:59:59.999999', '9999-12-31 23:59:59.999', '2038-01-19 08:44:07.999999', '2026-10-25 02:30:00'),
 (3, '2024-02-29', '00:00:00.000001', '2026-11-23 10:00:00.5', NULL, '2026-11-23 00:00:00'), (4, '2010-00-00', NULL, '2010-10-00 00:00:00', NULL, 0);

CREATE TABLE special (id UUID PRIMARY KEY DEFAULT UUID(), i6 INET6, i4 INET4, inv INT INVISIBLE DEFAULT 7, dflt INT DEFAULT NEXTVAL(seq), CHECK (dflt <> 3));
INSERT INTO special (id, i6, i4, inv, dflt) VALUES ('123e4567-e89b-12d3-a456-426614174000', '::1', '10.0.0.1', 1, 1),
 ('ffffffff-ffff-ffff-ffff-ffffffffffff', '2001:db8::ff00:42:8329', '255.255.255.255', NULL, 2), ('00000000-0000-0000-0000-000000000000', NULL, NULL, 3, NULL);

CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, p POINT NOT NULL, l LINESTRING, pg POLYGON, gc GEOMETRYCOLLECTION, SPATIAL INDEX (p));
INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(1 2)', 4326), POINT(0.1, -0.2), ST_LineFromText('LINESTRING(0 0,1 1,2 3.5)'),
  ST_PolyFromText('POLYGON((0 0,10 0,10 10,0 10,0 0),(2 2,4 2,4 4,2 4,2 2))'), ST_GeomCollFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')),
  (2, NULL, POINT(0, 0), NULL, NULL, NULL);

CREATE TABLE computed (a INT, v INT AS (a * 2) VIRTUAL, st VARCHAR(20) AS (CONCAT('n', a)) STORED, b INT INVISIBLE DEFAULT 5, KEY (v), UNIQUE (st));
INSERT INTO computed (a, b) VALUES (1, 10), (2, 20), (NULL, 30);
CREATE TABLE only_computed (one INT AS (1) VIRTUAL, two INT AS (2) STORED);
INSERT INTO only_computed () VALUES (), (), ();

CREATE TABLE versioned (id INT PRIMARY KEY, x INT) WITH SYSTEM VERSIONING;
INSERT INTO versioned VALUES (1, 1), (2, 2), (3, 3);
UPDATE versioned SET x = 20 WHERE id = 2;
DELETE FROM versioned WHERE id = 3;
CREATE TABLE versioned_named (id INT, rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START, re TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (rs, re)) WITH SYSTEM VERSIONING;
INSERT INTO versioned_named (id) VALUES (1), (2);

-- references both ways: no order of loading satisfies them row by row
CREATE TABLE z_parent (id INT PRIMARY KEY, fav INT) ENGINE=InnoDB;
CREATE TABLE a_child (id INT PRIMARY KEY, p INT, CONSTRAINT `to parent` FOREIGN KEY (p) REFERENCES z_parent (id) ON DELETE CASCADE);
INSERT INTO z_parent VALUES (1, 1), (2, 2);
INSERT INTO a_child VALUES (1, 1), (2, 2);
ALTER TABLE z_parent ADD FOREIGN KEY (fav) REFERENCES a_child (id);
SET foreign_key_checks=0;
INSERT INTO a_child VALUES (3, 99);
SET foreign_key_checks=1;

CREATE TABLE parts (id INT NOT NULL, y INT NOT NULL, PRIMARY KEY (id, y)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2020), PARTITION `p 1` VALUES LESS THAN MAXVALUE);
INSERT INTO parts SELECT seq, 2000 + seq % 40 FROM seq_1_to_500;

CREATE TABLE checked (n INT);
INSERT INTO checked VALUES (1), (-1);
SET check_constraint_checks=0;
ALTER TABLE checked ADD CONSTRAINT positive CHECK (n > 0);
SET check_constraint_checks=1;

CREATE TABLE `back``tick` (`co``l` INT, `select` INT, `with 'q' "dq"` INT);
INSERT INTO `back``tick` VALUES (1, 2, 3);
CREATE TABLE `new
line\! echo broken` (`x
y` INT COMMENT 'two
lines');
INSERT INTO `new
line\! echo broken` VALUES (5);
CREATE TABLE `tablé 日本 %2F/..` (`ü` INT);
INSERT INTO `tablé 日本 %2F/..` VALUES (6);
CREATE TABLE `Shop` (id INT PRIMARY KEY, `Shop` INT);
INSERT INTO `Shop` VALUES (1, 2);
CREATE TABLE empty_one (id INT PRIMARY KEY);
CREATE TABLE myisam_one (id INT PRIMARY KEY AUTO_INCREMENT, t TEXT, FULLTEXT (t)) ENGINE=MyISAM;
INSERT INTO myisam_one (t) VALUES ('one'), ('two');
CREATE TABLE aria_one (id INT) ENGINE=Aria TRANSACTIONAL=0;
INSERT INTO aria_one VALUES (1);
CREATE TABLE cache (k INT PRIMARY KEY, v TEXT);
INSERT INTO cache VALUES (1, 'thrown away');
CREATE TABLE sessions (k INT PRIMARY KEY);
INSERT INTO sessions VALUES (1);
CREATE TABLE log_rows (what VARCHAR(100)) ENGINE=InnoDB;
CREATE TABLE gone (a INT);

DELIMITER $$
CREATE FUNCTION twice(a INT) RETURNS INT DETERMINISTIC COMMENT 'it''s'
BEGIN
  -- a comment; with a semicolon and it's quote
  # and another ;; "
  /* and ; this */
  DECLARE s VARCHAR(20) DEFAULT ';; $$';
  RETURN a * 2;
END $$
CREATE PROCEDURE `odd name``s`(IN a INT, OUT b VARCHAR(20) CHARACTER SET latin1) SQL SECURITY INVOKER
BEGIN SELECT 'it''s // ;', "dq", `a` INTO b; END $$
SET sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT' $$
CREATE PROCEDURE ansi() BEGIN SELECT "a" || '\' FROM (SELECT 1 AS "a") AS "t"; SELECT ';'; END $$
SET sql_mode='ORACLE' $$
CREATE PACKAGE pack AS FUNCTION one RETURN INT; PROCEDURE p(a INT); END; $$
CREATE PACKAGE BODY pack AS
  FUNCTION one RETURN INT AS BEGIN RETURN 1; END;
  PROCEDURE p(a INT) AS BEGIN NULL; END;
END; $$
CREATE PACKAGE lone AS FUNCTION two RETURN INT; END; $$
SET sql_mode='STRICT_TRANS_TABLES' $$
CREATE TRIGGER zz_first BEFORE INSERT ON numbers FOR EACH ROW BEGIN INSERT INTO log_rows VALUES ('first;'); END $$
CREATE TRIGGER aa_second BEFORE INSERT ON numbers FOR EACH ROW INSERT INTO log_rows VALUES ('second') $$
CREATE TRIGGER `Shop`.mm_qualified AFTER UPDATE ON `Shop`.numbers FOR EACH ROW INSERT INTO log_rows VALUES ('third') $$
CREATE TRIGGER nn_between BEFORE INSERT ON numbers FOR EACH ROW FOLLOWS zz_first INSERT INTO log_rows VALUES ('between') $$
SET time_zone='-03:00' $$
CREATE EVENT tick ON SCHEDULE EVERY 1 HOUR STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'it''s' DO BEGIN SELECT ';;'; END $$
DELIMITER ;
SET sql_mode='';
SET collation_connection=utf8mb4_unicode_520_ci;
CREATE VIEW z_view AS SELECT id, x FROM versioned WHERE x IN (SELECT 1 UNION SELECT 20) WITH CASCADED CHECK OPTION;
CREATE VIEW a_uses_z AS SELECT z.id, twice(z.x) AS `twi ce`, NEXTVAL(seq) AS n, 'Shop' AS `fr,om` FROM z_view z;
CREATE ALGORITHM=TEMPTABLE SQL SECURITY INVOKER VIEW own_name AS SELECT `Shop`.`Shop`, COUNT(*) AS c FROM `Shop` GROUP BY 1;
CREATE VIEW `view ``q`` 日` (`col,umn`, `from`) AS WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n, (SELECT MAX(id) FROM numbers) FROM r;
CREATE DEFINER=`nobody`@`nowhere` VIEW dead_definer AS SELECT id FROM numbers;
CREATE VIEW broken AS SELECT a FROM gone;
DROP TABLE gone;

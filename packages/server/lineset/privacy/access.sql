-- Who may see what, as the database sees it. Applied again at each migration; the application can't change it.
-- The functions run as lineset_reader, a role that nobody can log in as and that alone sees past the household of the asker.

SET LOCAL check_function_bodies = off; -- some name others that come further down
CREATE SCHEMA IF NOT EXISTS access;
GRANT USAGE ON SCHEMA access TO lineset_app, lineset_ingest, lineset_reader;

-- The acting person, or null when the platform itself acts (or nobody said who acts).
CREATE OR REPLACE FUNCTION access.person() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN current_setting('app.actor', true) ~ '^[0-9a-f]{8}-[0-9a-f-]{27}$'
              THEN current_setting('app.actor', true)::uuid END
$$;

-- Whether one of the platform's own named actors acts.
CREATE OR REPLACE FUNCTION access.system(VARIADIC names text[]) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(current_setting('app.actor', true) = ANY (SELECT 'system:' || n FROM unnest(names) AS n), false)
$$;

-- Whether the stated purpose is one of these.
CREATE OR REPLACE FUNCTION access.purpose(VARIADIC purposes text[]) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT coalesce(current_setting('app.purpose', true) = ANY (purposes), false)
$$;

-- The households in which the acting person holds a scope: as a member by role; for the purpose of service, through a grant that the household
-- gave to a company at which the person works; for the purpose of support, while an access for a stated reason lasts. The last two only as far
-- as the access log names them for this transaction. The scope "nobody" is held by nobody.
CREATE OR REPLACE FUNCTION access.households(need text) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT m.household_id FROM household_members m
  WHERE m.person_id = access.person() AND m.ended_at IS NULL AND m.suspended_at IS NULL AND NOT access.purpose('service', 'support')
    AND (m.role = 'owner' AND need IN ('view', 'control', 'equipment', 'people', 'owner')
         OR m.role = 'member' AND need IN ('view', 'control', 'equipment', 'people')
         OR m.role = 'guest' AND need = 'view')
  UNION
  SELECT g.household_id FROM access_grants g JOIN memberships s USING (organisation_id)
  WHERE s.person_id = access.person() AND s.ended_at IS NULL AND access.purpose('service')
    AND g.scope = need AND g.revoked_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > now())
    AND (g.household_id IN (SELECT x FROM access.logged() x)) IS TRUE -- asked once and hashed, however many there are
  UNION
  SELECT a.household_id FROM staff_accesses a
    JOIN memberships m ON m.person_id = a.person_id AND m.role = a.role AND m.ended_at IS NULL
    JOIN organisations o ON o.id = m.organisation_id AND o.kind = 'operator'
  WHERE a.person_id = access.person() AND access.purpose('support') AND need = ANY (access.staff_scopes(a.role))
    AND a.ended_at IS NULL AND a.starts_at <= now() AND a.ends_at > now()
    AND (a.household_id IN (SELECT x FROM access.logged() x)) IS TRUE
$$;

-- The companies at which the acting person works, in one of these roles (none named: in any).
CREATE OR REPLACE FUNCTION access.organisations(VARIADIC roles text[] DEFAULT '{}') RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT organisation_id FROM memberships
  WHERE person_id = access.person() AND ended_at IS NULL AND (cardinality(roles) = 0 OR role = ANY (roles))
$$;

-- Whether the acting person is staff of the operator, in one of these roles (none named: in any).
CREATE OR REPLACE FUNCTION access.staff(VARIADIC roles text[] DEFAULT '{}') RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM memberships m JOIN organisations o ON o.id = m.organisation_id
                 WHERE m.person_id = access.person() AND m.ended_at IS NULL AND o.kind = 'operator'
                   AND (cardinality(roles) = 0 OR m.role = ANY (roles)))
$$;

-- People whom the acting person may know: oneself, the other members of one's households, one's colleagues, and, for a household, the
-- staff of companies it gave access to; for a company, the members of households that gave it the scope "people".
CREATE OR REPLACE FUNCTION access.people() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT access.person()
  UNION
  SELECT person_id FROM household_members
  WHERE household_id IN (SELECT access.households('people')) AND ended_at IS NULL
  UNION
  SELECT person_id FROM memberships WHERE organisation_id IN (SELECT access.organisations()) AND ended_at IS NULL
  UNION
  SELECT s.person_id FROM access_grants g JOIN memberships s USING (organisation_id)
  WHERE g.household_id IN (SELECT access.households('view')) AND NOT access.purpose('service', 'support') -- nor do contractors see each other
    AND g.revoked_at IS NULL AND s.ended_at IS NULL
$$;

-- Companies that the acting person may know: one's own, and those to which one's household gave or may give access.
CREATE OR REPLACE FUNCTION access.granted_organisations() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT organisation_id FROM access_grants WHERE household_id IN (SELECT access.households('view'))
$$;

-- The one way for people to read measurements: the table's own policies let only the platform's import through. The check is made once for
-- each series instead of once for each row. Refuses with insufficient_privilege when a series is not the asker's to see.
CREATE OR REPLACE FUNCTION access.read_frames(wanted integer[], since timestamptz, until timestamptz)
RETURNS TABLE (series_id integer, t timestamptz, reals real[], totals double precision[])
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1500 SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM unnest(wanted) AS w WHERE NOT EXISTS (
      SELECT FROM tenures n WHERE n.series_id = w AND n.erased_at IS NULL
        AND (n.household_id IN (SELECT access.households('view')) OR access.system('import', 'housekeeping', 'setup', 'diagnosis')))) THEN
    RAISE insufficient_privilege USING MESSAGE = 'a series is not shared with this actor';
  END IF;
  RETURN QUERY SELECT f.series_id, f.t, f.reals, f.totals FROM frames f
    WHERE f.series_id = ANY (wanted) AND f.t >= since AND f.t < until
    UNION ALL
    SELECT l.series_id, l.t, l.reals, l.totals FROM late_frames l
    WHERE l.series_id = ANY (wanted) AND l.t >= since AND l.t < until
    ORDER BY 1, 2;
END
$$;

-- Hide what these series measured from everybody, until it is erased. For owners of their household; a policy alone could not let them, since
-- nobody may write a row that they would no longer see.
CREATE OR REPLACE FUNCTION access.hide_series(wanted integer[]) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE tenures SET erased_at = now() WHERE series_id = ANY (wanted) AND erased_at IS NULL
    AND (household_id IN (SELECT access.households('owner')) OR access.system('setup', 'erasure'))
$$;

-- How far days are closed, at this moment.
CREATE OR REPLACE FUNCTION access.closed_until() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT coalesce(max(closed_before), '-infinity') FROM closings
$$;

-- The time before which days are closed. Whoever writes measurements asks within its transaction: until that ends, no further day is closed,
-- so that a day once closed has no writer. What is older goes to late_frames.
CREATE OR REPLACE FUNCTION access.closed_before() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('lineset.closing'));
  RETURN access.closed_until();
END
$$;

-- Remove the partition of a closed day, once its rows are in history. Refused for any day that is still open.
CREATE OR REPLACE FUNCTION access.drop_day(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '300ms' AS $$
BEGIN
  IF NOT access.system('history') OR (day + 1)::timestamp AT TIME ZONE 'UTC' > access.closed_until() THEN
    RAISE insufficient_privilege USING MESSAGE = 'only closed days can be removed';
  END IF;
  EXECUTE format('DROP TABLE IF EXISTS %I', 'frames_' || to_char(day, 'YYYYMMDD'));
END
$$;

-- The days that have a partition, oldest first.
CREATE OR REPLACE FUNCTION access.days() RETURNS SETOF date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT to_date(substr(c.relname, 8), 'YYYYMMDD') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
  WHERE i.inhparent = 'public.frames'::regclass ORDER BY 1
$$;

-- Write a table anew, so that nothing of deleted rows is left in it or its indexes. `what` is a table of ours or a day of frames.
CREATE OR REPLACE FUNCTION access.rewrite(what text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT access.system('history', 'erasure') OR what !~ '^[a-z][a-z0-9_]+$' OR what = 'frames' THEN
    RAISE insufficient_privilege USING MESSAGE = 'only for history and erasure, by a plain name';
  END IF;
  IF to_regclass('public.' || what) IS NOT NULL THEN
    EXECUTE format('CLUSTER %I USING %I', what, CASE WHEN what LIKE 'frames%' THEN what || '_pkey' ELSE 'pk_' || what END);
  END IF;
END
$$;

-- Fill the current segment of the write-ahead log and make a checkpoint, after which older segments go. A server of one's own may not allow
-- checkpoints to the owner; its log then ends by its own rules.
CREATE OR REPLACE FUNCTION access.flush_log() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT access.system('history', 'erasure') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only for history and erasure';
  END IF;
  PERFORM pg_logical_emit_message(false, 'lineset', repeat('.', 16777216));
  EXECUTE 'CHECKPOINT';
END
$$;

-- Make the partition of one day (UTC), with the same forced row-level security as its parent. Days before 2000 or beyond tomorrow are refused.
CREATE OR REPLACE FUNCTION access.ensure_day(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE name text := 'frames_' || to_char(day, 'YYYYMMDD');
BEGIN
  IF day < date '2000-01-01' OR day > (now() AT TIME ZONE 'UTC')::date + 2 THEN
    RAISE EXCEPTION 'no partition for %', day USING ERRCODE = 'check_violation';
  END IF;
  IF to_regclass('public.' || name) IS NOT NULL THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtext('lineset.frames'));
  IF to_regclass('public.' || name) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE %I PARTITION OF frames FOR VALUES FROM (%L) TO (%L)', name,
    day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
  -- no samples of measurements in the planner's statistics, where erasure would not find them
  EXECUTE format('ALTER TABLE %I ALTER COLUMN reals SET STATISTICS 0, ALTER COLUMN totals SET STATISTICS 0', name);
END
$$;

-- Newest known value of each point, slot by slot: `at` holds the seconds since 1970 at which each was measured, 0 for never.
CREATE OR REPLACE FUNCTION access.newest(new_value double precision[], new_at double precision[], old_value double precision[], old_at double precision[])
RETURNS double precision[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(CASE WHEN coalesce(na, 0) >= coalesce(oa, 0) THEN coalesce(nv, 'NaN') ELSE coalesce(ov, 'NaN') END ORDER BY i), '{}')
  FROM unnest(new_value, new_at, old_value, old_at) WITH ORDINALITY AS slots_(nv, na, ov, oa, i)
$$;
CREATE OR REPLACE FUNCTION access.newest_at(new_at double precision[], old_at double precision[])
RETURNS double precision[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(greatest(coalesce(na, 0), coalesce(oa, 0)) ORDER BY i), '{}')
  FROM unnest(new_at, old_at) WITH ORDINALITY AS slots_(na, oa, i)
$$;

-- How many there are of what: numbers for the operator's staff, who see none of the rows. No rows for anybody else.
CREATE OR REPLACE FUNCTION access.totals() RETURNS TABLE (what text, number bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT what, number FROM (
    SELECT 'companies', count(*) FROM organisations WHERE kind = 'contractor'
    UNION ALL SELECT 'households', count(*) FROM households
    UNION ALL SELECT 'sites', count(*) FROM sites
    UNION ALL SELECT 'machines', count(*) FROM equipment WHERE retired_at IS NULL
    UNION ALL SELECT 'gateways', count(*) FROM gateways WHERE household_id IS NOT NULL
    UNION ALL SELECT 'gateways_heard', count(*) FROM gateways
      WHERE household_id IS NOT NULL AND revoked_at IS NULL AND last_seen_at > now() - interval '15 minutes'
    UNION ALL SELECT 'gateways_waiting', count(*) FROM gateways WHERE household_id IS NULL
  ) AS counted(what, number)
  WHERE access.staff() AND access.purpose('administer')
$$;

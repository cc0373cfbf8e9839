-- The access log: nothing of a household is shown to others before the log says so. Others are contractors with a grant (service) and staff
-- with a stated reason (support); staff that administers one household is logged too.

-- Scopes of a household that a role of staff has while a break-glass access lasts; none for every other role.
CREATE OR REPLACE FUNCTION access.staff_scopes(role text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE role WHEN 'support' THEN ARRAY['view']
                   WHEN 'security' THEN ARRAY['view', 'people']
                   WHEN 'privacy_officer' THEN ARRAY['view', 'people']
                   ELSE '{}'::text[] END
$$;

-- Accesses of one window are one entry: a quarter of an hour for somebody who names what they look at, an hour for lists over everything.
CREATE OR REPLACE FUNCTION access.log_window() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT date_bin(CASE WHEN coalesce(current_setting('app.subject', true), '') = '' THEN interval '60 minutes' ELSE interval '15 minutes' END,
                  now(), timestamptz '2000-01-01 00:00+00')
$$;

-- The households that the log names for the actor, purpose and action of this transaction, and, where the transaction is about something
-- of its own, only that household. Every reading by others is held against it, so that what is not logged can't be read.
CREATE OR REPLACE FUNCTION access.logged() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT l.household_id FROM access_log l
  WHERE l.actor_id = (SELECT access.person()) AND l.window_start = (SELECT access.log_window())
    AND l.purpose = (SELECT current_setting('app.purpose', true)) AND l.action = (SELECT current_setting('app.action', true))
    AND ((SELECT coalesce(current_setting('app.subject', true), '') = '')
         OR l.household_id = ANY ((SELECT string_to_array(current_setting('app.subject', true), ',')::uuid[])::uuid[]))
$$;

-- Whose something is: households themselves, sites, machines, gateways and people by their ids.
CREATE OR REPLACE FUNCTION access.households_of(things uuid[]) RETURNS TABLE (household uuid, thing uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id, id FROM households WHERE id = ANY (things)
  UNION SELECT household_id, id FROM sites WHERE id = ANY (things)
  UNION SELECT household_id, id FROM equipment WHERE id = ANY (things)
  UNION SELECT household_id, id FROM gateways WHERE id = ANY (things) AND household_id IS NOT NULL
  UNION SELECT household_id, household_id FROM household_members WHERE person_id = ANY (things) AND ended_at IS NULL
$$;

-- The household to which a site, machine, gateway or household id belongs, for staff that is about to open it.
CREATE OR REPLACE FUNCTION access.find_home(thing_ uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT household FROM access.households_of(ARRAY[thing_]) WHERE access.system('authentication') LIMIT 1
$$;

-- Log that the acting person is about to look at what they may see for the stated purpose: all of it, or that of `things`. Returns how many
-- entries are new in this window. The door commits those before anything is read, so that no reading goes unlogged when a process dies.
CREATE OR REPLACE FUNCTION access.enter(doing text, things uuid[], why text) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  me uuid := access.person();
  purpose_ text := current_setting('app.purpose', true);
  named boolean := cardinality(things) > 0;
  window_ timestamptz;
  fresh integer;
BEGIN
  -- a thing that nobody owns names no household, and so shows none
  PERFORM set_config('app.action', doing, true), set_config('app.subject', CASE WHEN named THEN coalesce(
    (SELECT string_agg(DISTINCT household::text, ',') FROM access.households_of(things)), '00000000-0000-0000-0000-000000000000') ELSE '' END, true);
  window_ := access.log_window();
  INSERT INTO access_log (id, at, window_start, actor_id, organisation_id, role, household_id, purpose, action, thing, reason)
  SELECT gen_random_uuid(), clock_timestamp(), window_, me, e.organisation_id, e.role, e.household_id, purpose_, doing, e.thing, e.reason
  FROM (
    SELECT DISTINCT ON (g.household_id, o.thing) g.household_id, g.organisation_id, s.role, coalesce(o.thing, g.household_id) AS thing, why AS reason
    FROM access_grants g JOIN memberships s USING (organisation_id)
      LEFT JOIN access.households_of(things) o ON o.household = g.household_id
    WHERE purpose_ = 'service' AND s.person_id = me AND s.ended_at IS NULL AND g.revoked_at IS NULL
      AND (g.ends_at IS NULL OR g.ends_at > now()) AND (NOT named OR o.thing IS NOT NULL)
    ORDER BY g.household_id, o.thing, g.granted_at
  ) e
  WHERE ((e.household_id, e.thing) IN (
    SELECT l.household_id, l.thing FROM access_log l
    WHERE l.actor_id = me AND l.window_start = window_ AND l.purpose = purpose_ AND l.action = doing)) IS NOT TRUE
  ORDER BY e.household_id, e.thing
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS fresh = ROW_COUNT;
  IF purpose_ = 'service' THEN RETURN fresh; END IF;
  INSERT INTO access_log (id, at, window_start, actor_id, organisation_id, role, household_id, purpose, action, thing, reason)
  SELECT gen_random_uuid(), clock_timestamp(), window_, me, e.organisation_id, e.role, e.household_id, purpose_, doing, e.thing, e.reason
  FROM (
    SELECT DISTINCT ON (a.household_id, o.thing) a.household_id, m.organisation_id, a.role, coalesce(o.thing, a.household_id) AS thing,
           concat_ws(' · ', nullif(a.ticket, ''), a.reason) AS reason
    FROM staff_accesses a JOIN memberships m ON m.person_id = a.person_id AND m.role = a.role AND m.ended_at IS NULL
      JOIN organisations c ON c.id = m.organisation_id AND c.kind = 'operator'
      LEFT JOIN access.households_of(things) o ON o.household = a.household_id
    WHERE purpose_ = 'support' AND a.person_id = me AND a.ended_at IS NULL AND a.starts_at <= now() AND a.ends_at > now()
      AND (NOT named OR o.thing IS NOT NULL)
    UNION ALL
    SELECT o.household, m.organisation_id, m.role, o.thing, why
    FROM access.households_of(things) o, memberships m JOIN organisations c ON c.id = m.organisation_id AND c.kind = 'operator'
    WHERE purpose_ = 'administer' AND m.person_id = me AND m.ended_at IS NULL
  ) e
  ORDER BY e.household_id
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS fresh = ROW_COUNT;
  RETURN fresh;
END
$$;

-- Who saw or changed a household, newest first: one row for each person, purpose and action. Only for its own people, to whom those who
-- looked are known by name, whether they still work there or not; and for the operator's privacy officer.
CREATE OR REPLACE FUNCTION access.seen_by(home uuid, most integer)
RETURNS TABLE (actor_id uuid, name_sealed bytea, company text, role text, purpose text, reason text, action text, thing uuid,
               first_at timestamptz, last_at timestamptz, times bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 50 SET search_path = public, pg_temp AS $$
  SELECT f.actor_id, p.name_sealed, coalesce(o.name, ''), f.role, f.purpose, f.reason, f.action, f.thing, f.first_at, f.last_at, f.times
  FROM (
    SELECT l.actor_id, l.organisation_id, l.role, l.purpose, l.reason, l.action, nullif(l.thing, l.household_id) AS thing,
           min(l.at) AS first_at, max(l.at) AS last_at, count(*) AS times
    FROM access_log l
    WHERE l.household_id = home
      AND (access.purpose('rights', 'operate') AND home IN (SELECT access.households('view'))
           OR access.purpose('administer') AND access.staff('privacy_officer', 'security'))
    GROUP BY l.actor_id, l.organisation_id, l.role, l.purpose, l.reason, l.action, nullif(l.thing, l.household_id)
    ORDER BY last_at DESC LIMIT least(most, 1000)
  ) f LEFT JOIN people p ON p.id = f.actor_id LEFT JOIN organisations o ON o.id = f.organisation_id
  ORDER BY f.last_at DESC
$$;

-- Write down which entries were pseudonymised, so that nobody can pass off a change of the log as an erasure.
CREATE OR REPLACE FUNCTION access.note_forgotten(entry uuid, doing text, places text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT access.system('housekeeping') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only for housekeeping';
  END IF;
  INSERT INTO access_log (id, at, window_start, role, purpose, action, reason)
  VALUES (entry, clock_timestamp(), access.log_window(), 'housekeeping', 'rights', doing, places);
END
$$;

REVOKE EXECUTE ON FUNCTION access.households_of(uuid[]), access.logged() FROM PUBLIC; -- for the functions here alone

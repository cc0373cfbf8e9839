-- Troubles over the whole fleet, for the operator's support and security: what kind, how often, how many are affected, in which versions. The
-- titles hold code words and places in our own programs; whose gateways or browsers they are is not told. No rows for anybody else.
CREATE OR REPLACE FUNCTION access.troubles(since timestamptz)
RETURNS TABLE (source text, kind text, title text, mark text, times bigint, first_at timestamptz, last_at timestamptz,
               affected bigint, homes bigint, versions text[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 200 SET search_path = public, pg_temp AS $$
  SELECT * FROM (
    SELECT 'gateway' AS source, e.kind, e.title, e.fingerprint AS mark, sum(e.count) AS times, min(e.at), max(e.last_at) AS newest,
           count(DISTINCT e.gateway_id), count(DISTINCT e.household_id), array_remove(array_agg(DISTINCT e.version), NULL)
    FROM gateway_events e WHERE e.fingerprint IS NOT NULL AND e.last_at > since
    GROUP BY e.kind, e.title, e.fingerprint
    UNION ALL
    SELECT 'app', a.kind, a.title, a.fingerprint, sum(a.count), min(a.at), max(a.last_at),
           count(DISTINCT a.person_id), 0, array_agg(DISTINCT a.version)
    FROM app_events a WHERE a.kind <> 'opened' AND a.last_at > since
    GROUP BY a.kind, a.title, a.fingerprint
  ) AS found
  WHERE access.staff('operator', 'support', 'security') AND access.purpose('administer')
  ORDER BY newest DESC LIMIT 200
$$;

-- How far diagnosis is with the machines in use, for the same staff: how many there are, how many were looked at in the last three hours, how
-- many are behind by up to two days, how many by more, and how many never were.
CREATE OR REPLACE FUNCTION access.diagnosed()
RETURNS TABLE (machines bigint, fresh bigint, behind bigint, stale bigint, never bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT count(*), count(*) FILTER (WHERE m.through > now() - interval '3 hours'),
         count(*) FILTER (WHERE m.through <= now() - interval '3 hours' AND m.through > now() - interval '48 hours'),
         count(*) FILTER (WHERE m.through <= now() - interval '48 hours'), count(*) FILTER (WHERE m.through IS NULL)
  FROM equipment e JOIN tenures n ON n.equipment_id = e.id AND n.ends_at IS NULL LEFT JOIN machine_memories m ON m.series_id = n.series_id
  WHERE e.retired_at IS NULL AND e.erased_at IS NULL AND access.staff('operator', 'support', 'security') AND access.purpose('administer')
$$;

-- What diagnosis found since then and what technicians said of it, by fault, for the same staff: numbers over all homes. `right_` counts
-- findings whose last verdict is their own fault, `other` another fault, `nothing` that nothing was wrong.
CREATE OR REPLACE FUNCTION access.faults_found(since timestamptz)
RETURNS TABLE (fault text, opened bigint, closed bigint, standing bigint, right_ bigint, other bigint, nothing bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 60 SET search_path = public, pg_temp AS $$
  SELECT f.fault, count(*) FILTER (WHERE f.opened >= since), count(*) FILTER (WHERE f.closed >= since), count(*) FILTER (WHERE f.closed IS NULL),
         count(*) FILTER (WHERE v.verdict = f.fault), count(*) FILTER (WHERE v.verdict NOT IN (f.fault, 'none')),
         count(*) FILTER (WHERE v.verdict = 'none')
  FROM findings f LEFT JOIN LATERAL (
    SELECT s.verdict FROM finding_steps s WHERE s.finding_id = f.id AND s.verdict <> '' AND s.at >= since ORDER BY s.at DESC LIMIT 1) v ON true
  WHERE (f.opened >= since OR f.closed IS NULL OR f.closed >= since OR v.verdict IS NOT NULL)
    AND access.staff('operator', 'support', 'security') AND access.purpose('administer')
  GROUP BY f.fault ORDER BY count(*) FILTER (WHERE f.opened >= since) DESC, f.fault
$$;

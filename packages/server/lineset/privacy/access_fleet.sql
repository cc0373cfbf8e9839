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

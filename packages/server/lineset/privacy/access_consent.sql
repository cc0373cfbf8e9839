-- What people have said yes to, asked by the database itself. access.terms(), above this text, holds the digest of each choice's terms today:
-- a yes to other terms does not count.

-- Households and persons whose last answer under a purpose is a yes, to whatever terms, each with what it is about: of the people, only those
-- that the acting person may know of; for the platform's own actors and for ingestion all.
CREATE OR REPLACE FUNCTION access.agreed(wanted text) RETURNS TABLE (subject uuid, detail text, choice text, terms text)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100 SET search_path = public, pg_temp AS $$
  SELECT last.subject, last.detail, last.choice, last.terms FROM (
    (SELECT DISTINCT ON (r.household_id, r.detail) r.household_id AS subject, r.detail, r.given, r.choice, r.terms
     FROM consent_receipts r WHERE r.purpose = wanted AND (access.person() IS NULL OR r.household_id IN (SELECT access.households('view')))
     ORDER BY r.household_id, r.detail, r.number DESC)
    UNION ALL
    (SELECT DISTINCT ON (r.person_id, r.detail) r.person_id, r.detail, r.given, r.choice, r.terms
     FROM person_consent_receipts r WHERE r.purpose = wanted AND (access.person() IS NULL OR r.person_id = access.person())
     ORDER BY r.person_id, r.detail, r.number DESC)
  ) AS last WHERE last.given AND current_setting('app.actor', true) <> ''
$$;

-- Of those, whoever said yes to the terms of today.
CREATE OR REPLACE FUNCTION access.consenting(wanted text DEFAULT current_setting('app.purpose', true))
RETURNS TABLE (subject uuid, detail text)
LANGUAGE sql STABLE ROWS 100 SET search_path = public, pg_temp AS $$
  SELECT a.subject, a.detail FROM access.agreed(wanted) AS a JOIN access.terms() t ON t.choice = a.choice AND t.terms = a.terms
$$;

-- Whether one household or person says yes to one thing.
CREATE OR REPLACE FUNCTION access.consented(whose uuid, wanted text, about text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT coalesce((SELECT last.given AND t.terms = last.terms FROM (
    SELECT r.given, r.choice, r.terms, r.number FROM consent_receipts r
    WHERE r.purpose = wanted AND r.household_id = whose AND r.detail = about
      AND (access.person() IS NULL OR r.household_id IN (SELECT access.households('view')))
    UNION ALL
    SELECT r.given, r.choice, r.terms, r.number FROM person_consent_receipts r
    WHERE r.purpose = wanted AND r.person_id = whose AND r.detail = about AND (access.person() IS NULL OR r.person_id = access.person())
    ORDER BY number DESC LIMIT 1
  ) AS last JOIN access.terms() t USING (choice)), false) AND current_setting('app.actor', true) <> ''
$$;

-- What of these households' choices holds, for the rest of this transaction: whoever takes a yes back waits until it ends, so that nothing is
-- stored after what was stored on that yes has been deleted.
CREATE OR REPLACE FUNCTION access.consents_for(whose uuid[], wanted text[]) RETURNS TABLE (subject uuid, purpose text, detail text)
LANGUAGE plpgsql VOLATILE SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtext('lineset.consent'), hashtext(w::text)) FROM (SELECT unnest(whose) AS w ORDER BY 1) AS ordered;
  RETURN QUERY SELECT c.subject, p, c.detail FROM unnest(wanted) AS p CROSS JOIN LATERAL access.consenting(p) AS c WHERE c.subject = ANY (whose);
END
$$;

-- The name of the company that runs this installation.
CREATE OR REPLACE FUNCTION access.operator() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT name FROM organisations WHERE kind = 'operator' ORDER BY created_at LIMIT 1
$$;

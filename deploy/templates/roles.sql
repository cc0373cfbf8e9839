-- Written by `python -m deploy write`; holds a password. Run it once as the superuser: one statement a line.
CREATE ROLE lineset_owner LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD '$password';
CREATE DATABASE lineset OWNER lineset_owner;
REVOKE ALL ON DATABASE lineset FROM PUBLIC;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;

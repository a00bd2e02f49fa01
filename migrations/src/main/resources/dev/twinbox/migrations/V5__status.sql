-- What relays tell of themselves, for whoever asks how things stand: a row each relay every five
-- seconds, or sooner when a destination begins or ceases to fail. Insert-only, and read by its newest
-- minute only, so that a held xmin horizon costs nothing; rows older than ten minutes are deleted.
--
--   span_ms        how long the counts took
--   position       the highest position handed out then
--   destinations   what it published to meanwhile; published, dead_lettered and expired go with it
--   troubled       destinations that take nothing; reasons, troubled_ms and parked go with it

create table ${schema}.outbox_sample (
  taken_at timestamptz not null default clock_timestamp(),
  relay text not null,
  span_ms bigint not null,
  position bigint not null,
  destinations text[] not null,
  published bigint[] not null,
  dead_lettered bigint[] not null,
  expired bigint[] not null,
  troubled text[] not null,
  reasons text[] not null,
  troubled_ms bigint[] not null,
  parked boolean[] not null
);
create index outbox_sample_taken on ${schema}.outbox_sample (taken_at);

-- Roles that were granted a relay's rights before this table was there.
do $twinbox$
declare
  relay record;
begin
  for relay in
    select distinct r.rolname
    from pg_class c cross join lateral aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
    where c.oid = '${schema}.outbox_relay'::regclass and a.privilege_type = 'INSERT'
  loop
    execute format('grant select, insert, delete on ${schema}.outbox_sample to %I', relay.rolname);
  end loop;
end
$twinbox$;

insert into ${schema}.schema_version (version, serves_code_from) values (5, 1);

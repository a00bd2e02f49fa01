-- What upkeep could not do, and what makes a schema whole again whose rows were removed.

-- Updates and deletes of a table without an identity fail under a publication for all tables. Rows are few
-- and live for ten minutes, so that a key of their own would be an index for nothing.
alter table ${schema}.outbox_sample replica identity full;

-- A dead letter that is redriven or purged is withdrawn from its leaf, so that the archive does not have it as
-- published. What is only inserted into pays nothing for it.
do $twinbox$
declare
  leaf regclass;
begin
  alter table ${schema}.outbox replica identity full;
  for leaf in select inhrelid::regclass from pg_inherits where inhparent = '${schema}.outbox'::regclass loop
    execute format('alter table %s replica identity full', leaf);
  end loop;
end
$twinbox$;

-- Duties that fail, a row each for as long as they do: for whoever asks how things stand.
create table ${schema}.outbox_upkeep (
  duty text primary key,
  relay text not null,
  failing_since timestamptz not null default clock_timestamp(),
  failed_at timestamptz not null default clock_timestamp(),
  error text not null
) with (fillfactor = 50);

-- Which version the tables are, also where the rows that say so were removed. Each later migration
-- replaces it.
create function ${schema}.tables_version() returns integer
  language sql immutable
  as $twinbox$ select 7 $twinbox$;

-- Puts back rows without which nothing works, where they were removed, as by a TRUNCATE of all tables, and
-- where that loses and repeats nothing; returns which. Lanes are made only for an empty outbox: which rows
-- are whose nobody knows any more. SECURITY DEFINER, because a relay does not own the tables.
create function ${schema}.outbox_mend() returns text[]
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '1s'
  as $twinbox$
declare
  mended text[] := '{}';
begin
  if not pg_try_advisory_xact_lock(hashtextextended('${schema}.outbox_mend', 0)) then
    return mended;
  end if;
  if not exists (select from ${schema}.schema_version) then
    insert into ${schema}.schema_version (version, serves_code_from)
      select v, 1 from generate_series(1, ${schema}.tables_version()) v;
    mended := mended || 'schema_version'::text;
  end if;
  if not exists (select from ${schema}.outbox_ring) then
    insert into ${schema}.outbox_ring (chunk, leaves)
      select (regexp_match(pg_get_partkeydef('${schema}.outbox'::regclass), '/ [(]?''?([0-9]+)'))[1]::bigint,
        (select count(*) from pg_inherits where inhparent = '${schema}.outbox'::regclass);
    mended := mended || 'outbox_ring'::text;
  end if;
  if not exists (select from ${schema}.outbox_retention) then
    insert into ${schema}.outbox_retention default values;
    mended := mended || 'outbox_retention, with the defaults'::text;
  end if;
  -- Lanes and messages may come from another cluster: then re-stamping puts it back.
  if not exists (select from ${schema}.outbox_cluster)
      and not exists (select from ${schema}.outbox)
      and not exists (select from ${schema}.outbox_lane_log where next_floor > 0 or ceiling > 0) then
    insert into ${schema}.outbox_cluster (system_identifier, timeline)
      select system_identifier, timeline_id from pg_control_system(), pg_control_checkpoint();
    mended := mended || 'outbox_cluster'::text;
  end if;
  if not exists (select from ${schema}.outbox_broker) and not exists (select from ${schema}.outbox) then
    -- Lanes that were retired are not there any more.
    if exists (select from pg_constraint
        where conrelid = '${schema}.outbox'::regclass and conname = 'outbox_lane_in_use') then
      alter table ${schema}.outbox drop constraint outbox_lane_in_use;
    end if;
    insert into ${schema}.outbox_broker (broker, first_lane, lanes)
      values ('kafka', 0, 4), ('rabbitmq', 4, 4);
    insert into ${schema}.outbox_lane (lane, broker, shard)
      select first_lane + shard, broker, shard
      from ${schema}.outbox_broker cross join lateral generate_series(0, lanes - 1) shard;
    insert into ${schema}.outbox_lane_log
      (lane, seq, action, epoch, window_number, done, floor, next_floor, ceiling, cursor_position, ahead)
      select lane, 0, 'create', 0, 0, '1:1:', 0, 0, 0, 0, '{}' from ${schema}.outbox_lane
      on conflict do nothing;
    mended := mended || 'outbox_broker and outbox_lane'::text;
  end if;
  return mended;
end
$twinbox$;

revoke all on function ${schema}.outbox_mend() from public;

-- Roles that were granted a relay's rights before.
do $twinbox$
declare
  relay record;
begin
  for relay in
    select distinct r.rolname
    from pg_class c cross join lateral aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
    where c.oid = '${schema}.outbox_relay'::regclass and a.privilege_type = 'INSERT'
  loop
    execute format('grant select, insert, update, delete on ${schema}.outbox_upkeep to %I', relay.rolname);
    execute format('grant execute on function ${schema}.outbox_mend() to %I', relay.rolname);
  end loop;
end
$twinbox$;

insert into ${schema}.schema_version (version, serves_code_from) values (7, 1);

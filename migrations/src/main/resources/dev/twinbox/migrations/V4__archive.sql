-- What becomes of messages and of their traces in the end.

-- For how long each is kept; null: for ever, or, for the archive, not at all.
--   dead_letters  then one that blocks no key is discarded, as by an operator, with a line in the audit
--   discarded     then it is gone
create table ${schema}.outbox_retention (
  only_row boolean primary key default true check (only_row),
  archive interval check (archive >= interval '1 hour'),
  dead_letters interval default interval '180 days' check (dead_letters >= interval '1 hour'),
  discarded interval not null default interval '30 days' check (discarded >= interval '0'),
  audit interval default interval '365 days' check (audit >= interval '1 day'),
  dedup interval default interval '7 days' check (dedup >= interval '1 hour')
);
insert into ${schema}.outbox_retention default values;

-- Messages that were published, copied here before their leaf is truncated; a table a UTC day, dropped
-- whole. Rows come in about the order of their positions, so all of these indexes grow at their end.
-- (position): replay walks in order. (id): what became of a message; which copy is the last one.
-- (created_at) brin: from a range of time to a range of positions.
create table ${schema}.outbox_archive (
  archived_at timestamptz not null default clock_timestamp(),
  lane integer not null,
  position bigint not null,
  id uuid not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  destination text not null,
  key text,
  type text not null,
  content_type text,
  headers text[],
  payload bytea
) partition by range (archived_at);
create index outbox_archive_position on ${schema}.outbox_archive (position);
create index outbox_archive_id on ${schema}.outbox_archive (id);
create index outbox_archive_created on ${schema}.outbox_archive using brin (created_at) with (pages_per_range = 16);

-- Transactions that enqueued from the archive: their rows are not archived once more.
create table ${schema}.outbox_replay (
  xid xid8 primary key default pg_current_xact_id(),
  replayed_at timestamptz not null default clock_timestamp()
);

-- Upkeep of the archive's days, called by a relay, which does not own the tables. Whoever would have to
-- wait for a lock gives up, and is called again.

-- Makes the days from today to the given number of days ahead that are missing, if messages are archived;
-- returns how many.
create function ${schema}.outbox_archive_make_days(ahead integer) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '100ms'
  as $twinbox$
declare
  today date := (clock_timestamp() at time zone 'UTC')::date;
  d date;
  name text;
  made integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('${schema}.outbox_archive', 0))
      or (select archive from ${schema}.outbox_retention) is null then
    return 0;
  end if;
  for n in 0 .. least(greatest(ahead, 0), 60) loop
    d := today + n;
    name := 'outbox_archive_p' || to_char(d, 'YYYYMMDD');
    if to_regclass('${schema}.' || name) is null then
      execute format('create table ${schema}.%I partition of ${schema}.outbox_archive for values from (%L) to (%L)',
        name, d::timestamp at time zone 'UTC', (d + 1)::timestamp at time zone 'UTC');
      made := made + 1;
    end if;
  end loop;
  return made;
end
$twinbox$;

-- Drops the oldest day of which everything has been kept for long enough; returns its name, or null. All
-- days, one a call, once nothing is to be archived any more.
create function ${schema}.outbox_archive_drop_day() returns text
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '100ms'
  as $twinbox$
declare
  kept_from date;
  oldest text;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('${schema}.outbox_archive', 0)) then
    return null;
  end if;
  select ((clock_timestamp() - coalesce(archive, interval '0')) at time zone 'UTC')::date
      + case when archive is null then 100 else 0 end
    into kept_from from ${schema}.outbox_retention;
  select c.relname into oldest
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = '${schema}.outbox_archive'::regclass
      and c.relname < 'outbox_archive_p' || to_char(kept_from, 'YYYYMMDD')
    order by c.relname limit 1;
  if oldest is not null then
    execute format('drop table ${schema}.%I', oldest);
  end if;
  return oldest;
end
$twinbox$;

-- Deletes lines of the audit that have been kept for long enough, at most so many; returns how many. A
-- relay's role cannot delete others.
create function ${schema}.outbox_audit_purge(at_most integer) returns bigint
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$
    with gone as (
      delete from ${schema}.outbox_audit where number in (
        select number from ${schema}.outbox_audit
        where done_at < (select clock_timestamp() - audit from ${schema}.outbox_retention)
        limit at_most)
      returning 1)
    select count(*) from gone
  $twinbox$;

revoke all on function ${schema}.outbox_archive_make_days(integer),
  ${schema}.outbox_archive_drop_day(), ${schema}.outbox_audit_purge(integer) from public;

-- Purging walks by age.
create index outbox_dead_letter_age on ${schema}.outbox_dead_letter (dead_at) where discarded_at is null and not blocks_key;
create index outbox_dead_letter_discarded on ${schema}.outbox_dead_letter (discarded_at) where discarded_at is not null;
create index outbox_audit_age on ${schema}.outbox_audit using brin (done_at);

insert into ${schema}.schema_version (version, serves_code_from) values (4, 1);

-- Upkeep of the inbox that comes through under steady load, survives a clock that jumps, and makes the
-- rows again without which nothing works. The functions of version 2 go on working for older code.
--
-- wait_ms       for how long a lock on inbox is waited for; every handler waits behind it. The caller
--               measures how long handlers take (inbox_users), and asks for no more than that.
-- caller_time   the caller's clock. What a database's clock that is ahead would close, drop or delete,
--               stays while any clock says that it is too early; null: the caller has none.

-- The database's clock, in one place.
create function ${schema}.inbox_clock() returns timestamptz
  language sql volatile
  as $twinbox$ select clock_timestamp() $twinbox$;

-- The time of the newest recorded id, of a producer's clock; null where there is none. By the primary
-- key's indexes, backward, partition by partition.
create function ${schema}.inbox_newest() returns timestamptz
  language sql stable
  as $twinbox$
    select to_timestamp(('x' || left(replace(message_id::text, '-', ''), 12))::bit(48)::bigint / 1000.0)
    from ${schema}.inbox
    where message_id >= '01000000-0000-0000-0000-000000000000'
      and message_id < 'ff000000-0000-0000-0000-000000000000'
    order by message_id desc limit 1
  $twinbox$;

-- The transactions that hold a lock on inbox, each for as long as its handlers run. A look takes no lock
-- itself.
create function ${schema}.inbox_users() returns table (pid integer, virtual_transaction text)
  language sql volatile security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$
    select distinct l.pid, l.virtualtransaction from pg_locks l
    where l.locktype = 'relation' and l.relation = '${schema}.inbox'::regclass and l.granted
      and l.database = (select oid from pg_database where datname = current_database())
      and l.pid is distinct from pg_backend_pid()
  $twinbox$;

-- Makes the rows again without which nothing works, as after TRUNCATE; returns how many. The days are
-- known by their tables. The horizon is the default's; ids from before the oldest table are closed,
-- because there is no place for them.
create function ${schema}.inbox_restore_rows() returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$
declare
  first_day date;
  made integer := 0;
  more integer;
begin
  if not exists (select from ${schema}.inbox_retention) then
    select min(to_date(right(c.relname, 8), 'YYYYMMDD')) into first_day
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = '${schema}.inbox'::regclass and c.relname ~ '^inbox_p[0-9]{8}$';
    insert into ${schema}.inbox_retention (closed_before)
      values (coalesce(first_day, (${schema}.inbox_clock() at time zone 'UTC')::date - 8)::timestamp at time zone 'UTC')
      on conflict do nothing;
    get diagnostics made = row_count;
  end if;
  if pg_try_advisory_xact_lock(hashtextextended('${schema}.inbox_upkeep', 0)) then
    insert into ${schema}.inbox_day (day)
      select to_date(right(c.relname, 8), 'YYYYMMDD')
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = '${schema}.inbox'::regclass and c.relname ~ '^inbox_p[0-9]{8}$'
      on conflict do nothing;
    get diagnostics more = row_count;
    made := made + more;
  end if;
  return made;
end
$twinbox$;

-- As in version 2, with a lock that is waited for as long as the caller says.
create function ${schema}.inbox_make_days(ahead integer, wait_ms integer, caller_time timestamptz) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '20ms'
  as $twinbox$
declare
  last_day date;
  target_day date := (least(${schema}.inbox_clock(), caller_time) at time zone 'UTC')::date + least(greatest(ahead, 1), 60);
  bound uuid;
  whole boolean;
  d date;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('${schema}.inbox_upkeep', 0)) then
    return 0;
  end if;
  select max(day) into last_day from ${schema}.inbox_day;
  if last_day is null or last_day >= target_day then
    return 0;
  end if;
  bound := ${schema}.inbox_bound((target_day + 1)::timestamp at time zone 'UTC');
  select count(*) > 1000 into whole
    from (select from ${schema}.inbox_future where message_id < bound limit 1001) waiting;
  if whole then
    execute 'create table ${schema}.inbox_next (like ${schema}.inbox including defaults, primary key (message_id, consumer_id))';
    perform set_config('lock_timeout', wait_ms || 'ms', true);
    lock table only ${schema}.inbox in access exclusive mode;
    perform set_config('lock_timeout', '5ms', true);
    execute 'alter table ${schema}.inbox detach partition ${schema}.inbox_future';
    with moved as (
      delete from ${schema}.inbox_future where message_id >= bound returning *
    )
    insert into ${schema}.inbox_next select * from moved;
    execute format('alter table ${schema}.inbox_future rename to inbox_p%s', to_char(target_day, 'YYYYMMDD'));
    execute 'alter table ${schema}.inbox_next rename to inbox_future';
    execute format('alter table ${schema}.inbox attach partition ${schema}.inbox_p%s for values from (%L) to (%L)',
      to_char(target_day, 'YYYYMMDD'),
      ${schema}.inbox_bound((last_day + 1)::timestamp at time zone 'UTC'), bound);
    insert into ${schema}.inbox_day (day) values (target_day);
  else
    d := last_day + 1;
    while d <= target_day loop
      execute format('create table ${schema}.inbox_p%s (like ${schema}.inbox including defaults, primary key (message_id, consumer_id))',
        to_char(d, 'YYYYMMDD'));
      d := d + 1;
    end loop;
    perform set_config('lock_timeout', wait_ms || 'ms', true);
    lock table only ${schema}.inbox in access exclusive mode;
    perform set_config('lock_timeout', '5ms', true);
    execute 'alter table ${schema}.inbox detach partition ${schema}.inbox_future';
    d := last_day + 1;
    while d <= target_day loop
      execute format('alter table ${schema}.inbox attach partition ${schema}.inbox_p%s for values from (%L) to (%L)',
        to_char(d, 'YYYYMMDD'),
        ${schema}.inbox_bound(d::timestamp at time zone 'UTC'),
        ${schema}.inbox_bound((d + 1)::timestamp at time zone 'UTC'));
      insert into ${schema}.inbox_day (day) values (d);
      d := d + 1;
    end loop;
    with moved as (
      delete from ${schema}.inbox_future where message_id < bound returning *
    )
    insert into ${schema}.inbox select * from moved;
  end if;
  execute format('alter table ${schema}.inbox attach partition ${schema}.inbox_future for values from (%L) to (%L)',
    bound, 'ff000000-0000-0000-0000-000000000000');
  return target_day - last_day;
end
$twinbox$;


-- As in version 2, by the clock that says the earliest time, and by the newest id that was seen. Where
-- more is closed than the database's clock warrants now, because it was ahead, or the horizon was
-- shorter, days whose tables are still there are opened again; then it returns how many, negative.
create function ${schema}.inbox_close_days(caller_time timestamptz) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$
declare
  bound timestamptz;
  warranted timestamptz;
  too_far boolean;
  first_day date;
  changed integer;
begin
  select date_trunc('day', (least(${schema}.inbox_clock(), caller_time, ${schema}.inbox_newest()) - horizon - interval '1 day') at time zone 'UTC') at time zone 'UTC',
      date_trunc('day', (${schema}.inbox_clock() - horizon - interval '1 day') at time zone 'UTC') at time zone 'UTC'
    into bound, warranted from ${schema}.inbox_retention;
  select closed_before > warranted into too_far from ${schema}.inbox_retention;
  if too_far then
    if not pg_try_advisory_xact_lock(hashtextextended('${schema}.inbox_upkeep', 0)) then
      return 0;
    end if;
    update ${schema}.inbox_day set closed_at = null
      where closed_at is not null and (day + 1)::timestamp at time zone 'UTC' > warranted;
    get diagnostics changed = row_count;
    select min(day) into first_day from ${schema}.inbox_day;
    update ${schema}.inbox_retention
      set closed_before = least(closed_before, greatest(warranted, first_day::timestamp at time zone 'UTC'));
    return -changed;
  end if;
  update ${schema}.inbox_day set closed_at = ${schema}.inbox_clock()
    where closed_at is null and (day + 1)::timestamp at time zone 'UTC' <= bound;
  get diagnostics changed = row_count;
  if changed > 0 then
    update ${schema}.inbox_retention set closed_before = greatest(closed_before, bound);
  end if;
  return changed;
end
$twinbox$;

-- As in version 2.
create function ${schema}.inbox_drop_day(wait_ms integer, caller_time timestamptz) returns date
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '20ms'
  as $twinbox$
declare
  oldest date;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('${schema}.inbox_upkeep', 0)) then
    return null;
  end if;
  select min(day) into oldest from ${schema}.inbox_day
    where closed_at <= least(${schema}.inbox_clock(), caller_time) - interval '1 hour'
      and day < (select max(day) from ${schema}.inbox_day);
  if oldest is not null then
    perform set_config('lock_timeout', wait_ms || 'ms', true);
    lock table only ${schema}.inbox in access exclusive mode;
    perform set_config('lock_timeout', '5ms', true);
    execute format('drop table if exists ${schema}.inbox_p%s', to_char(oldest, 'YYYYMMDD'));
    delete from ${schema}.inbox_day where day = oldest;
  end if;
  return oldest;
end
$twinbox$;


-- Gives back the space of closed days that could not be dropped for the locks of handlers, which hold
-- none on tables of closed days; returns how many.
create function ${schema}.inbox_empty_days(caller_time timestamptz) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '20ms'
  as $twinbox$
declare
  closed date;
  table_name text;
  emptied integer := 0;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('${schema}.inbox_upkeep', 0)) then
    return 0;
  end if;
  for closed in
    select day from ${schema}.inbox_day
    where closed_at <= least(${schema}.inbox_clock(), caller_time) - interval '1 hour'
  loop
    table_name := format('${schema}.inbox_p%s', to_char(closed, 'YYYYMMDD'));
    if pg_relation_size(to_regclass(table_name)) > 0 then
      execute 'truncate only ' || table_name;
      emptied := emptied + 1;
    end if;
  end loop;
  return emptied;
end
$twinbox$;

-- As in version 2, by the clock that says the earliest time.
create function ${schema}.inbox_purge(at_most integer, caller_time timestamptz) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$
declare
  until timestamptz;
  discarded_until timestamptz;
  foreigners integer;
  failures integer;
  discarded integer;
begin
  select now_for_sure - horizon - interval '1 day', now_for_sure - keep_discarded
    into until, discarded_until
    from ${schema}.inbox_retention, least(${schema}.inbox_clock(), caller_time) now_for_sure;
  delete from ${schema}.inbox_foreign where (message_id, consumer_id) in (
    select message_id, consumer_id from ${schema}.inbox_foreign
      where received_at < until order by received_at limit at_most for update skip locked);
  get diagnostics foreigners = row_count;
  delete from ${schema}.inbox_failure where (consumer_id, message_id) in (
    select consumer_id, message_id from ${schema}.inbox_failure
      where last_failed_at < until limit at_most for update skip locked);
  get diagnostics failures = row_count;
  delete from ${schema}.inbox_dead_letter where number in (
    select number from ${schema}.inbox_dead_letter
      where discarded_at < discarded_until order by discarded_at limit at_most for update skip locked);
  get diagnostics discarded = row_count;
  return foreigners + failures + discarded;
end
$twinbox$;

-- What older code calls.
create or replace function ${schema}.inbox_make_days(ahead integer) returns integer
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$ select ${schema}.inbox_make_days(ahead, 20, null) $twinbox$;
create or replace function ${schema}.inbox_close_days() returns integer
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$ select ${schema}.inbox_close_days(null) $twinbox$;
create or replace function ${schema}.inbox_drop_day() returns date
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$ select ${schema}.inbox_drop_day(20, null) $twinbox$;
create or replace function ${schema}.inbox_purge(at_most integer) returns integer
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$ select ${schema}.inbox_purge(at_most, null) $twinbox$;

revoke all on function ${schema}.inbox_clock(), ${schema}.inbox_newest(), ${schema}.inbox_users(),
  ${schema}.inbox_restore_rows(), ${schema}.inbox_make_days(integer, integer, timestamptz),
  ${schema}.inbox_close_days(timestamptz), ${schema}.inbox_drop_day(integer, timestamptz),
  ${schema}.inbox_empty_days(timestamptz), ${schema}.inbox_purge(integer, timestamptz) from public;

-- Roles that were granted a consumer's rights before these functions were there.
do $twinbox$
declare
  consumer record;
begin
  for consumer in
    select distinct r.rolname
    from pg_proc p cross join lateral aclexplode(p.proacl) a join pg_roles r on r.oid = a.grantee
    where p.oid = '${schema}.inbox_close_days()'::regprocedure and a.privilege_type = 'EXECUTE'
      and r.oid <> p.proowner
  loop
    execute format('grant execute on function ${schema}.inbox_users(), ${schema}.inbox_restore_rows(),'
      ' ${schema}.inbox_make_days(integer, integer, timestamptz),'
      ' ${schema}.inbox_close_days(timestamptz), ${schema}.inbox_drop_day(integer, timestamptz),'
      ' ${schema}.inbox_empty_days(timestamptz), ${schema}.inbox_purge(integer, timestamptz) to %I',
      consumer.rolname);
  end loop;
end
$twinbox$;

insert into ${schema}.schema_version (version, serves_code_from) values (6, 1);

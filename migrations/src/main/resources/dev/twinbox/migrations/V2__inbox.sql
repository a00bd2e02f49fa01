-- The read side: which messages a consumer's committed transactions have processed.

-- For how long dedup rows are kept; one truth for every consumer of this schema. Ids from before
-- closed_before have lost their rows, or lose them at the earliest an hour after it was advanced.
create table ${schema}.inbox_retention (
  only_row boolean primary key default true check (only_row),
  horizon interval not null default interval '7 days' check (horizon >= interval '1 day'),
  keep_discarded interval not null default interval '30 days' check (keep_discarded >= interval '0'),
  closed_before timestamptz not null
);
insert into ${schema}.inbox_retention (closed_before)
  values (((clock_timestamp() at time zone 'UTC')::date - 8)::timestamp at time zone 'UTC');

-- A consumer's name is given a number once, so that the dedup row stays narrow.
--   refuses_from  the horizon when it registered: ids from then on are refused once past the horizon
--   kept_from     what was closed when it registered: older ids cannot have been processed and dropped
create table ${schema}.inbox_consumer (
  consumer_id integer generated always as identity primary key,
  consumer text not null unique,
  registered_at timestamptz not null default clock_timestamp(),
  refuses_from timestamptz not null,
  kept_from timestamptz not null
);

-- The unique key is the dedup. Range-partitioned on the id itself, whose first 48 bits are its time in
-- milliseconds (UUIDv7): the same id always meets the same partition, and old days are dropped whole.
--   inbox_old      hashed ids below 01000000-...: of messages older than a consumer's kept_from
--   inbox_pYYYYMMDD  one UTC day each
--   inbox_future   ids above the last day, moved when that day is made
--   inbox_foreign  hashed ids of other producers, all of them above ff000000-..., kept by received_at
-- There is no DEFAULT partition: a row in it would make the creation of that row's day fail.
create table ${schema}.inbox (
  message_id uuid not null,
  consumer_id integer not null,
  received_at timestamptz not null default clock_timestamp(),
  primary key (message_id, consumer_id)
) partition by range (message_id);

-- The smallest UUID whose time is the given one.
create function ${schema}.inbox_bound(moment timestamptz) returns uuid
  language sql immutable strict
  as $twinbox$
    select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0')
            || repeat('0', 20))::uuid
  $twinbox$;

-- Which days exist. The lower bound of inbox_future follows from it. A closed day is refused by
-- every consumer that could have processed it, and is dropped an hour later.
create table ${schema}.inbox_day (
  day date primary key,
  created_at timestamptz not null default clock_timestamp(),
  closed_at timestamptz
);

do $twinbox$
declare
  first_day date := (clock_timestamp() at time zone 'UTC')::date - 8;
  last_day date := (clock_timestamp() at time zone 'UTC')::date + 3;
  d date;
begin
  execute format('create table ${schema}.inbox_old partition of ${schema}.inbox for values from (minvalue) to (%L)',
    ${schema}.inbox_bound(first_day::timestamp at time zone 'UTC'));
  d := first_day;
  while d <= last_day loop
    execute format('create table ${schema}.inbox_p%s partition of ${schema}.inbox for values from (%L) to (%L)',
      to_char(d, 'YYYYMMDD'),
      ${schema}.inbox_bound(d::timestamp at time zone 'UTC'),
      ${schema}.inbox_bound((d + 1)::timestamp at time zone 'UTC'));
    insert into ${schema}.inbox_day (day) values (d);
    d := d + 1;
  end loop;
  execute format('create table ${schema}.inbox_future partition of ${schema}.inbox for values from (%L) to (%L)',
    ${schema}.inbox_bound(d::timestamp at time zone 'UTC'), 'ff000000-0000-0000-0000-000000000000');
  execute 'create table ${schema}.inbox_foreign partition of ${schema}.inbox for values from (''ff000000-0000-0000-0000-000000000000'') to (maxvalue)';
end
$twinbox$;
create index inbox_foreign_age on ${schema}.inbox_foreign (received_at);

-- Attempts of deliveries that failed, recorded in transactions of their own.
create table ${schema}.inbox_failure (
  consumer_id integer not null references ${schema}.inbox_consumer,
  message_id uuid not null,
  attempts integer not null,
  error text,
  first_failed_at timestamptz not null default clock_timestamp(),
  last_failed_at timestamptz not null default clock_timestamp(),
  primary key (consumer_id, message_id)
);

-- A frozen selection of quarantined messages that the running consumers handle once more, at most so
-- many a second. Its counters are written in the transaction that settles a message.
create table ${schema}.inbox_redrive (
  number bigint generated always as identity primary key,
  consumer_id integer not null references ${schema}.inbox_consumer,
  requested_by text not null,
  requested_at timestamptz not null default clock_timestamp(),
  per_second double precision not null check (per_second > 0),
  selected integer not null,
  processed integer not null default 0,
  duplicates integer not null default 0,
  failed integer not null default 0,
  next_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz
);
-- Every consumer asks once a second whether there is anything to redrive.
create index inbox_redrive_open on ${schema}.inbox_redrive (consumer_id, number) where finished_at is null;

-- Quarantine: the whole delivery and why. headers holds name, value, name, value. The fingerprint is
-- a hash of the contents: a place in a topic that was deleted and made again holds another message.
--   id_recorded  its id stands in inbox although it was not processed: it was given up
--   redrive      it waits to be handled once more; claim is the try that runs, or has died
create table ${schema}.inbox_dead_letter (
  number bigint generated always as identity primary key,
  consumer_id integer not null references ${schema}.inbox_consumer,
  message_id uuid,
  id text,
  source text,
  origin text not null,
  fingerprint uuid not null,
  destination text,
  key text,
  type text,
  content_type text,
  message_time timestamptz,
  expires_at timestamptz,
  headers text[],
  payload bytea,
  reason text not null,
  error text,
  attempts integer not null,
  id_recorded boolean not null,
  dead_at timestamptz not null default clock_timestamp(),
  discarded_at timestamptz,
  discarded_by text,
  redrive bigint references ${schema}.inbox_redrive,
  redrive_tries integer not null default 0,
  claim uuid,
  claimed_at timestamptz,
  unique (consumer_id, origin, fingerprint),
  check (redrive is null or discarded_at is null)
);
create index inbox_dead_letter_cause on ${schema}.inbox_dead_letter (consumer_id, reason, number);
create index inbox_dead_letter_id on ${schema}.inbox_dead_letter (message_id);
create index inbox_dead_letter_redrive on ${schema}.inbox_dead_letter (redrive, number) where redrive is not null;
create index inbox_dead_letter_discarded on ${schema}.inbox_dead_letter (discarded_at) where discarded_at is not null;

-- Who did what by hand: redrive, discard, restore, pass.
create table ${schema}.inbox_audit (
  number bigint generated always as identity primary key,
  done_at timestamptz not null default clock_timestamp(),
  done_by text not null,
  action text not null,
  selection text not null,
  affected bigint not null
);

-- Refused or quarantined ids that an operator lets through: processed once more at the next delivery.
create table ${schema}.inbox_pass (
  consumer_id integer not null references ${schema}.inbox_consumer,
  message_id uuid not null,
  granted_by text not null,
  granted_at timestamptz not null default clock_timestamp(),
  primary key (consumer_id, message_id)
);

-- Upkeep, called by every consumer now and then; the advisory lock lets one work at a time. SECURITY
-- DEFINER, because consumers do not own the tables. lock_timeout, because whoever waits for a lock on
-- inbox makes every handler wait behind it: give up after 20 ms, and be called again. inbox itself is locked
-- first; once it is, handlers wait already, so further locks are given up after 5 ms.

-- Makes the missing days up to the given number of days ahead; returns how many. DETACH and ATTACH
-- are needed because inbox_future covers what is not made yet; its rows below the new bound move.
-- New tables are made before the lock is taken, so that it is held for a few milliseconds only. Where
-- more than 1,000 rows had to move, because no day could be made for long, inbox_future itself becomes
-- the last of the missing days and covers all of them: under the lock it is read once, not rewritten.
create function ${schema}.inbox_make_days(ahead integer) returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '20ms'
  as $twinbox$
declare
  last_day date;
  target_day date := (clock_timestamp() at time zone 'UTC')::date + least(greatest(ahead, 1), 60);
  bound uuid;
  whole boolean;
  d date;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('${schema}.inbox_upkeep', 0)) then
    return 0;
  end if;
  select max(day) into last_day from ${schema}.inbox_day;
  if last_day >= target_day then
    return 0;
  end if;
  bound := ${schema}.inbox_bound((target_day + 1)::timestamp at time zone 'UTC');
  select count(*) > 1000 into whole
    from (select from ${schema}.inbox_future where message_id < bound limit 1001) waiting;
  if whole then
    execute 'create table ${schema}.inbox_next (like ${schema}.inbox including defaults, primary key (message_id, consumer_id))';
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

-- Closes the days that ended more than the horizon and one day ago; returns how many. The day of
-- margin keeps a message that was judged inside the horizon away from a dropped table.
create function ${schema}.inbox_close_days() returns integer
  language plpgsql security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$
declare
  bound timestamptz;
  closed integer;
begin
  select date_trunc('day', (clock_timestamp() - horizon - interval '1 day') at time zone 'UTC') at time zone 'UTC'
    into bound from ${schema}.inbox_retention;
  update ${schema}.inbox_day set closed_at = clock_timestamp()
    where closed_at is null and (day + 1)::timestamp at time zone 'UTC' <= bound;
  get diagnostics closed = row_count;
  if closed > 0 then
    update ${schema}.inbox_retention set closed_before = greatest(closed_before, bound);
  end if;
  return closed;
end
$twinbox$;

-- Drops the oldest day that was closed at least an hour ago; returns it, or null. One day a call, a
-- transaction of its own: each lock is held for a moment. Never the last day, from which the next ones
-- are made: where none was made for longer than the horizon, all of them are closed.
create function ${schema}.inbox_drop_day() returns date
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
    where closed_at <= clock_timestamp() - interval '1 hour'
      and day < (select max(day) from ${schema}.inbox_day);
  if oldest is not null then
    lock table only ${schema}.inbox in access exclusive mode;
    perform set_config('lock_timeout', '5ms', true);
    execute format('drop table if exists ${schema}.inbox_p%s', to_char(oldest, 'YYYYMMDD'));
    delete from ${schema}.inbox_day where day = oldest;
  end if;
  return oldest;
end
$twinbox$;

-- Deletes dedup rows of foreign ids received longer ago than the horizon and one day, failures that
-- nobody came back to for as long, and what was discarded from quarantine and not restored in time; at
-- most so many of each a call. Returns how many went.
create function ${schema}.inbox_purge(at_most integer) returns integer
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
  select clock_timestamp() - horizon - interval '1 day', clock_timestamp() - keep_discarded
    into until, discarded_until from ${schema}.inbox_retention;
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

revoke all on function ${schema}.inbox_make_days(integer), ${schema}.inbox_close_days(),
  ${schema}.inbox_drop_day(), ${schema}.inbox_purge(integer) from public;

insert into ${schema}.schema_version (version, serves_code_from) values (2, 1);

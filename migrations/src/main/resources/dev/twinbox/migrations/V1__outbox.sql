-- The write side and the relay's memory.
--
-- Hot path: outbox, written by producers, read by the relay, emptied leaf by leaf with TRUNCATE.
-- No row of a healthy message is ever updated or deleted.

create table ${schema}.schema_version (
  version integer primary key,
  serves_code_from integer not null,
  applied_at timestamptz not null default clock_timestamp()
);
comment on table ${schema}.schema_version is
  'One row a migration: the oldest code version that can still work with the schema from here on.';
insert into ${schema}.schema_version (version, serves_code_from) values (1, 1);

-- Which cluster the lanes belong to. A dump restored elsewhere shows another system_identifier, a
-- promoted copy another timeline. While it is doubted, lanes are not claimed and leaves not emptied.
create table ${schema}.outbox_cluster (
  only_row boolean primary key default true check (only_row),
  system_identifier bigint not null,
  timeline integer not null,
  doubted_at timestamptz
);
insert into ${schema}.outbox_cluster (system_identifier, timeline)
  select system_identifier, timeline_id from pg_control_system(), pg_control_checkpoint();

-- A broker's lanes are first_lane .. first_lane + lanes - 1. Producers read this row at each enqueue.
create table ${schema}.outbox_broker (
  broker text primary key,
  first_lane integer not null check (first_lane >= 0),
  lanes integer not null check (lanes between 1 and 1024)
);

-- Lane numbers are never used again. When a broker gets another number of lanes, it gets new ones, a
-- generation later, and the old ones are drained to their end before the new ones are begun.
--   retired_at  nothing is enqueued into it any more: a check constraint of outbox sees to that
--   drained_at  it has no unpublished row left; what is parked moves to its key's new lane
--   closed_at   nothing is left of it
create table ${schema}.outbox_lane (
  lane integer primary key,
  broker text not null references ${schema}.outbox_broker,
  shard integer not null check (shard >= 0),
  generation integer not null default 0,
  retired_at timestamptz,
  drained_at timestamptz check (drained_at is null or retired_at is not null),
  closed_at timestamptz check (closed_at is null or drained_at is not null),
  unique (broker, generation, shard)
);

-- The hash that a message's lane follows from, as docs/wire-format.md specifies it byte by byte. For
-- messages that move to other lanes; producers bring their own.
create function ${schema}.outbox_lane_hash(key text, id uuid) returns integer
  language plpgsql immutable parallel safe
  set search_path = pg_catalog, pg_temp
  as $twinbox$
declare
  bytes bytea := coalesce(convert_to(key, 'UTF8'), uuid_send(id));
  h bigint := 2166136261;
begin
  for i in 0 .. length(bytes) - 1 loop
    h := ((h # get_byte(bytes, i)) * 16777619) & 4294967295;
  end loop;
  h := h # (h >> 16);
  h := ((h & 65535) * 2246822507 + ((((h >> 16) * 2246822507) & 65535) << 16)) & 4294967295;
  h := h # (h >> 13);
  h := ((h & 65535) * 3266489909 + ((((h >> 16) * 3266489909) & 65535) << 16)) & 4294967295;
  h := h # (h >> 16);
  return h & 2147483647;
end
$twinbox$;

-- The state of each lane, as an insert-only log: the row with the highest seq is the state.
-- A writer inserts seq + 1 of what it knows; the primary key lets exactly one writer succeed, so a
-- delayed, repeated or stale write hits nothing. Insert-only, because a row that is updated in place
-- slows down with each update while some transaction holds the xmin horizon. No foreign key: it would
-- lock the lane's row at each write.
create table ${schema}.outbox_lane_log (
  lane integer not null,
  seq bigint not null,
  action text not null,
  owner text,
  claim_id uuid,
  epoch bigint not null,
  lease_until timestamptz,
  window_number bigint not null,
  done pg_snapshot not null,
  target pg_snapshot,
  floor bigint not null,
  next_floor bigint not null,
  ceiling bigint not null,
  cursor_position bigint not null,
  ahead bigint[] not null,
  written_at timestamptz not null default clock_timestamp(),
  primary key (lane, seq)
);

-- The state of each lane now.
create view ${schema}.outbox_lane_state as
  select l.broker, l.shard, s.*
  from ${schema}.outbox_lane l
  cross join lateral (
    select * from ${schema}.outbox_lane_log g where g.lane = l.lane order by g.seq desc limit 1
  ) s;

-- Relays that live, and which brokers they serve: lanes are shared among them.
create table ${schema}.outbox_relay (
  relay text primary key,
  started_at timestamptz not null default clock_timestamp(),
  alive_until timestamptz not null,
  brokers text[] not null default '{}',
  clock_ahead_ms bigint not null default 0
) with (fillfactor = 50);

-- Single values, one at a time, never cycling: positions must rise in the order in which they are drawn.
create sequence ${schema}.outbox_position as bigint increment by 1 start with 1 cache 1 no cycle;

-- (lane, position): a page, in order, and the poll. (xid, lane, position): late transactions.
-- The position's default forces the xid first: a position must never be older than its transaction's xid.
create table ${schema}.outbox (
  xid xid8 not null default pg_current_xact_id(),
  position bigint not null default
    case when pg_current_xact_id() is not null then nextval('${schema}.outbox_position') end,
  id uuid not null,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  lane integer not null,
  destination text not null,
  key text,
  type text not null,
  content_type text,
  headers text[],
  payload bytea
) partition by list (((position / ${chunk}) % ${ring}));

do $twinbox$
begin
  for leaf in 0 .. ${ring} - 1 loop
    execute format(
      'create table ${schema}.outbox_%s partition of ${schema}.outbox for values in (%s)', leaf, leaf);
  end loop;
end
$twinbox$;
-- A lane's entries come at the end of its last page, a few out of order: nearly full pages move, and so
-- log, less when they are split. Entries of the other index are too wide for that: PostgreSQL halves its
-- pages wherever entries come in their midst, so all of them come at its end.
create index outbox_lane_position on ${schema}.outbox (lane, position) with (fillfactor = 97);
create index outbox_xid_lane_position on ${schema}.outbox (xid, lane, position);

-- Which of these lanes have a committed row that their done does not cover, and the highest position
-- handed out. A function, because it is asked many times a second and planning would cost more than
-- looking: its plans are kept with the session.
-- Beyond a lane's floor are those rows that done knows nothing of, and few that it covers; but also those
-- of late transactions, any number, so these are looked up first. Not "exists",
-- which drops the order and with it the hold on the index: another plan looks cheap while a leaf has few
-- rows, and walks all of them for as long as it is kept.
create function ${schema}.outbox_waiting(lanes integer[], done pg_snapshot[], floors bigint[])
  returns table (lane integer, anything boolean, "position" bigint)
  language plpgsql stable
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off
  set enable_bitmapscan = off
  set enable_sort = off
  set enable_incremental_sort = off
  set jit = off
  as $twinbox$
#variable_conflict use_column
begin
  return query
  select d.lane,
    (select late.xid
      from (select x from pg_snapshot_xip(d.done) x where pg_visible_in_snapshot(x, d.now)) x
      cross join lateral (select o.xid from ${schema}.outbox o
        where (o.xid, o.lane, o.position) >= (x, d.lane, 0)
          and (o.xid, o.lane, o.position) <= (x, d.lane, 9223372036854775807)
        order by o.xid, o.lane, o.position limit 1) late
      limit 1) is not null
    or (select o.xid from ${schema}.outbox o
      where o.lane = d.lane and o.position > d.floor and o.xid >= pg_snapshot_xmax(d.done)
      order by o.lane, o.position limit 1) is not null,
    p.last_value - (not p.is_called)::int
  from unnest(lanes, done, floors) d0 (lane, done, floor)
    cross join lateral (select d0.*, pg_current_snapshot() as now offset 0) d
    cross join ${schema}.outbox_position p;
end
$twinbox$;

-- The ring's measures, as created.
create table ${schema}.outbox_ring (
  only_row boolean primary key default true check (only_row),
  chunk bigint not null check (chunk > 0),
  leaves integer not null check (leaves > 1)
);
insert into ${schema}.outbox_ring (chunk, leaves) values (${chunk}, ${ring});

-- Holds what is unpublished within the one transaction that re-stamps a restored outbox. Empty.
create unlogged table ${schema}.outbox_restamp (
  written_here boolean not null,
  position bigint not null,
  lane integer not null,
  id uuid not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  destination text not null,
  key text,
  type text not null,
  content_type text,
  headers text[],
  payload bytea
);

-- Not due yet. (due_at, number): promotion in order of due time, then of enqueueing.
create table ${schema}.outbox_scheduled (
  number bigint generated always as identity,
  due_at timestamptz not null,
  id uuid primary key,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  broker text not null references ${schema}.outbox_broker,
  hash integer not null,
  destination text not null,
  key text,
  type text not null,
  content_type text,
  headers text[],
  payload bytea
);
create index outbox_scheduled_due on ${schema}.outbox_scheduled (due_at, number);

-- Takes one message out while it waits; tells whether it did. Waits for a promotion that has it in work.
-- SECURITY DEFINER, because a producer may neither read nor empty the table.
create function ${schema}.outbox_cancel(message_id uuid) returns boolean
  language sql security definer
  set search_path = pg_catalog, pg_temp
  as $twinbox$
    with gone as (delete from ${schema}.outbox_scheduled where id = message_id returning 1)
    select exists (select from gone)
  $twinbox$;
revoke all on function ${schema}.outbox_cancel(uuid) from public;

-- Copies of rows that wait: for a broken destination, for their next attempt, or behind another row of
-- their key. Their lane's relay publishes them in order of position, each destination by itself.
--   not_before  of a row that failed: when it is tried again
--   blocked     behind a dead letter that blocks its key: not looked at until that is redriven or discarded
-- (lane, destination, position): what is to be tried. (lane, key, position): whether a key is held.
create table ${schema}.outbox_parked (
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
  payload bytea,
  reason text not null,
  error text,
  attempts integer not null default 0,
  not_before timestamptz,
  blocked boolean not null default false,
  parked_at timestamptz not null default clock_timestamp(),
  primary key (lane, position)
);
create index outbox_parked_due on ${schema}.outbox_parked (lane, destination, position) where not blocked;
create index outbox_parked_key on ${schema}.outbox_parked (lane, key, position) where key is not null;

-- The whole message, with why and when it was given up.
--   blocks_key    its key's followers are parked until it is redriven or discarded
--   discarded_at  an operator has put it aside; it can be restored until its retention is over
create table ${schema}.outbox_dead_letter (
  number bigint generated always as identity primary key,
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
  payload bytea,
  reason text not null,
  error text,
  attempts integer not null,
  first_failed_at timestamptz not null,
  dead_at timestamptz not null default clock_timestamp(),
  blocks_key boolean not null default false,
  discarded_at timestamptz,
  unique (lane, position)
);
create index outbox_dead_letter_cause on ${schema}.outbox_dead_letter (destination, reason, number);
create index outbox_dead_letter_id on ${schema}.outbox_dead_letter (id);
create index outbox_dead_letter_blocking on ${schema}.outbox_dead_letter (lane, key) where blocks_key;

-- Producer-side keys: the second enqueue of the same key is a no-op.
create table ${schema}.outbox_dedup (
  dedup_key text primary key,
  message_id uuid not null,
  created_at timestamptz not null default clock_timestamp()
);
create index outbox_dedup_age on ${schema}.outbox_dedup using brin (created_at);

-- Who did what by hand: redrive, discard, restore, lane changes. One row a transaction; what belongs to
-- one act of an operator has the same act.
create table ${schema}.outbox_audit (
  number bigint generated always as identity primary key,
  act uuid not null default gen_random_uuid(),
  done_at timestamptz not null default clock_timestamp(),
  done_by text not null,
  action text not null,
  selection text not null,
  affected bigint not null
);

insert into ${schema}.outbox_broker (broker, first_lane, lanes) values ('kafka', 0, 4), ('rabbitmq', 4, 4);
insert into ${schema}.outbox_lane (lane, broker, shard)
  select first_lane + shard, broker, shard
  from ${schema}.outbox_broker cross join lateral generate_series(0, lanes - 1) shard;
-- Each enqueue reads it; that it is one page is known to the planner only from here.
analyze ${schema}.outbox_broker;
insert into ${schema}.outbox_lane_log
  (lane, seq, action, epoch, window_number, done, floor, next_floor, ceiling, cursor_position, ahead)
  select lane, 0, 'create', 0, 0, '1:1:', 0, 0, 0, 0, '{}' from ${schema}.outbox_lane;

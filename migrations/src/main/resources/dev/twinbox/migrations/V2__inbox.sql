-- The read side: which messages a consumer's committed transactions have processed.

-- A consumer's name is given a number once, so that the dedup row stays narrow.
create table ${schema}.inbox_consumer (
  consumer_id integer generated always as identity primary key,
  consumer text not null unique,
  registered_at timestamptz not null default clock_timestamp()
);

-- The unique key is the dedup. Range-partitioned on the id itself, whose first 48 bits are its time in
-- milliseconds (UUIDv7): the same id always meets the same partition, and old days are dropped whole.
--   inbox_old      ids older than the oldest day kept
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

-- Which days exist. The bounds of inbox_old and inbox_future follow from it.
create table ${schema}.inbox_day (
  day date primary key,
  created_at timestamptz not null default clock_timestamp()
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

-- Quarantine: the whole delivery, why, and whether an operator let it through.
create table ${schema}.inbox_dead_letter (
  number bigint generated always as identity primary key,
  consumer_id integer not null references ${schema}.inbox_consumer,
  message_id uuid,
  origin text not null,
  destination text,
  key text,
  type text,
  content_type text,
  headers text[],
  payload bytea,
  reason text not null,
  error text,
  attempts integer not null,
  dead_at timestamptz not null default clock_timestamp(),
  unique (consumer_id, origin)
);
create index inbox_dead_letter_cause on ${schema}.inbox_dead_letter (consumer_id, reason, number);
create index inbox_dead_letter_id on ${schema}.inbox_dead_letter (message_id);

-- Refused or quarantined ids that an operator lets through: processed once more at the next delivery.
create table ${schema}.inbox_pass (
  consumer_id integer not null references ${schema}.inbox_consumer,
  message_id uuid not null,
  granted_by text not null,
  granted_at timestamptz not null default clock_timestamp(),
  primary key (consumer_id, message_id)
);

insert into ${schema}.schema_version (version, serves_code_from) values (2, 1);

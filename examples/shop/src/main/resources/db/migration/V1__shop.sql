create table purchase (
  id       text primary key,
  customer text not null,
  cents    bigint not null,
  shipped  boolean not null default false
);

create table account (
  customer text primary key,
  cents    bigint not null
);

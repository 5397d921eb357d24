-- Who a person is to an OpenID provider. One identity of a provider for each account, so that an address that the provider
-- gives to somebody else later does not bring the account along.
create table account_identity (
  organization_id text not null,
  issuer text not null,
  subject text not null,
  user_id text not null,
  linked_at timestamptz not null default now(),
  constraint account_identity_pk primary key (organization_id, issuer, subject),
  constraint account_identity_one_of_issuer unique (organization_id, user_id, issuer),
  constraint account_identity_account foreign key (organization_id, user_id)
    references account on delete cascade
);

//! People, and what platforms call them.

use super::{Db, Error, Result, Tx, on_db, on_tx};
use crate::ids::{AccountId, PersonId, PlatformId, TenantId};
use crate::time::Timestamp;

/// One human in a tenant, with the name and address last heard.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Ours.
    pub id: PersonId,
    /// Empty when no platform has told it.
    pub full_name: String,
    /// Empty when no platform has told it.
    pub email: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// What a launch tells of a user: registration and `sub` are the identity, name and address are words.
pub struct AccountUpsert<'a> {
    /// The company.
    pub tenant_id: &'a TenantId,
    /// The registration.
    pub platform_id: &'a PlatformId,
    /// The platform's id of the user.
    pub sub: &'a str,
    /// Name, where the platform tells it.
    pub full_name: Option<&'a str>,
    /// Address, where the platform tells it; never used to find a person.
    pub email: Option<&'a str>,
    /// The id to give a new account.
    pub new_account: AccountId,
    /// The id to give a new person.
    pub new_person: PersonId,
}

impl Db {
    /// A person of the tenant.
    pub async fn find_person(&self, tenant: &TenantId, id: &PersonId) -> Result<Option<Person>> {
        let sql = "SELECT full_name, email FROM person WHERE tenant_id = $1 AND id = $2";
        let row: Option<(String, String)> = on_db!(self, |p| sqlx::query_as(sql)
            .bind(tenant.as_str())
            .bind(id.as_str())
            .fetch_optional(p)
            .await)?;
        Ok(row.map(|(full_name, email)| Person {
            id: id.clone(),
            full_name,
            email,
        }))
    }
}

impl Tx {
    /// Finds or makes the account and its person, and keeps the latest name and address; what a platform stops
    /// telling is kept.
    pub async fn put_account(
        &mut self,
        a: &AccountUpsert<'_>,
        now: Timestamp,
    ) -> Result<(AccountId, Person)> {
        let found = self.find_account(a).await?;
        let (account, person) = match found {
            Some(pair) => pair,
            None => self.add_account(a, now).await?,
        };
        let name = a.full_name.unwrap_or(&person.full_name).to_owned();
        let email = a.email.unwrap_or(&person.email).to_owned();
        if name != person.full_name || email != person.email {
            let sql =
                "UPDATE person SET full_name = $3, email = $4 WHERE tenant_id = $1 AND id = $2";
            on_tx!(self, |c| sqlx::query(sql)
                .bind(a.tenant_id.as_str())
                .bind(person.id.as_str())
                .bind(&name)
                .bind(&email)
                .execute(c)
                .await
                .map(drop))?;
        }
        Ok((
            account,
            Person {
                id: person.id,
                full_name: name,
                email,
            },
        ))
    }

    async fn find_account(&mut self, a: &AccountUpsert<'_>) -> Result<Option<(AccountId, Person)>> {
        let sql = "SELECT account.id, person.id, person.full_name, person.email FROM account \
                   JOIN person ON person.id = account.person_id AND person.tenant_id = account.tenant_id \
                   WHERE account.tenant_id = $1 AND account.platform_id = $2 AND account.sub = $3";
        let row: Option<(String, String, String, String)> = on_tx!(self, |c| sqlx::query_as(sql)
            .bind(a.tenant_id.as_str())
            .bind(a.platform_id.as_str())
            .bind(a.sub)
            .fetch_optional(c)
            .await)?;
        row.map(|(account, person, full_name, email)| {
            let bad = |_| Error::corrupt("account", "id");
            let id = person.try_into().map_err(bad)?;
            Ok((
                account.try_into().map_err(bad)?,
                Person {
                    id,
                    full_name,
                    email,
                },
            ))
        })
        .transpose()
    }

    async fn add_account(
        &mut self,
        a: &AccountUpsert<'_>,
        now: Timestamp,
    ) -> Result<(AccountId, Person)> {
        let person = Person {
            id: a.new_person.clone(),
            full_name: a.full_name.unwrap_or_default().to_owned(),
            email: a.email.unwrap_or_default().to_owned(),
        };
        let sql = "INSERT INTO person (id, tenant_id, full_name, email, created_at_ms) VALUES ($1, $2, $3, $4, $5)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(person.id.as_str())
            .bind(a.tenant_id.as_str())
            .bind(&person.full_name)
            .bind(&person.email)
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        let sql = "INSERT INTO account (id, tenant_id, platform_id, sub, person_id, created_at_ms) \
                   VALUES ($1, $2, $3, $4, $5, $6)";
        on_tx!(self, |c| sqlx::query(sql)
            .bind(a.new_account.as_str())
            .bind(a.tenant_id.as_str())
            .bind(a.platform_id.as_str())
            .bind(a.sub)
            .bind(person.id.as_str())
            .bind(now.as_ms())
            .execute(c)
            .await
            .map(drop))?;
        Ok((a.new_account.clone(), person))
    }
}

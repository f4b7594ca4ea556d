//! What can go wrong between us and the database.

/// A fault of storage. "Not there" is no fault: it is an `Option`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something with this identity is there already.
    #[error("already there")]
    Conflict,
    /// A stored value cannot be read: another program wrote it, or it was damaged.
    #[error("a stored {what} in table {table} cannot be read")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The value's noun.
        what: &'static str,
    },
    /// The database's address is of no kind we know.
    #[error("the database address must begin with sqlite:// or postgres://")]
    UnknownKind,
    /// The schema could not be brought to this version.
    #[error("the database schema could not be brought to this version")]
    Migration(#[source] Box<sqlx::migrate::MigrateError>),
    /// The driver said no: connection lost, disk full, time out.
    #[error("the database did not answer as it should")]
    Driver(#[source] sqlx::Error),
}

impl Error {
    /// A reader of stored text gives this where the text makes no sense.
    pub(super) const fn corrupt(table: &'static str, what: &'static str) -> Self {
        Self::Corrupt { table, what }
    }

    /// What the driver calls it, without the values that a database puts into its messages.
    #[must_use]
    pub fn driver_code(&self) -> String {
        match self {
            Self::Driver(sqlx::Error::Database(e)) => e
                .code()
                .map(std::borrow::Cow::into_owned)
                .unwrap_or_default(),
            Self::Driver(sqlx::Error::PoolTimedOut) => "pool timed out".to_owned(),
            Self::Driver(sqlx::Error::Io(e)) => e.kind().to_string(),
            Self::Driver(_) => "driver".to_owned(),
            _ => String::new(),
        }
    }

    /// Whether a fresh try may succeed: another transaction was in the way.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict)
    }
}

impl From<sqlx::Error> for Error {
    fn from(e: sqlx::Error) -> Self {
        if e.as_database_error()
            .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
        {
            Self::Conflict
        } else {
            Self::Driver(e)
        }
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(e: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(Box::new(e))
    }
}

/// A result of this room.
pub type Result<T> = std::result::Result<T, Error>;

//! Moments and clocks. Time is an argument everywhere; only [`SystemClock`] asks the machine.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{Timestamp as JiffTimestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// A moment in UTC, in whole milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// A text that is no RFC 3339 moment or date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no moment or date: write 2026-03-02 or 2026-03-02T09:14:07Z")]
pub struct TimeError(pub String);

impl Timestamp {
    /// From milliseconds since 1970, UTC.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// From whole seconds since 1970, UTC (a JWT's `NumericDate`).
    #[must_use]
    pub const fn from_secs(s: i64) -> Self {
        Self(s.saturating_mul(1000))
    }

    /// Milliseconds since 1970, UTC.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, UTC, truncated towards the past.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment moved later by `d`.
    #[must_use]
    pub fn plus(self, d: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This moment moved earlier by `d`.
    #[must_use]
    pub fn minus(self, d: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(d.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// `2026-03-02T09:14:07.123Z`: RFC 3339 with exactly three fraction digits, as LTI services want it.
    #[must_use]
    pub fn rfc3339_ms(self) -> String {
        format!("{:.3}", self.jiff())
    }

    /// `2026-03-02T09:14:07Z`: RFC 3339 in whole seconds, truncated, as reports write it.
    #[must_use]
    pub fn rfc3339_s(self) -> String {
        format!("{:.0}", Self::from_secs(self.as_secs()).jiff())
    }

    /// `2 March 2026`-like text for people, in the named zone (UTC when the zone is unknown).
    #[must_use]
    pub fn date_for_people(self, zone: &str) -> String {
        self.zoned(zone).strftime("%-d %B %Y").to_string()
    }

    /// `2 March 2026, 09:14 UTC`-like text for people, in the named zone.
    #[must_use]
    pub fn moment_for_people(self, zone: &str) -> String {
        self.zoned(zone).strftime("%-d %B %Y, %H:%M %Z").to_string()
    }

    /// The last second of the day that lies `months` later in the named zone, month ends clamped
    /// (31 January + 1 month = 28 or 29 February).
    #[must_use]
    pub fn end_of_day_after_months(self, months: i32, zone: &str) -> Self {
        let local = self.zoned(zone);
        let moved = local
            .checked_add(jiff::Span::new().months(months))
            .unwrap_or(local);
        let last = moved
            .date()
            .tomorrow()
            .ok()
            .and_then(|d| d.to_zoned(moved.time_zone().clone()).ok());
        last.map_or(self, |z| Self(z.timestamp().as_millisecond() - 1000))
    }

    /// Reads an RFC 3339 moment, or a date, which means its first moment in the named zone.
    pub fn parse_in(text: &str, zone: &str) -> Result<Self, TimeError> {
        let bad = || TimeError(text.to_owned());
        if let Ok(t) = text.parse::<JiffTimestamp>() {
            return Ok(Self(t.as_millisecond()));
        }
        // jiff would read a moment without a zone as its date, and silently lose the time.
        if text.len() != 10 {
            return Err(bad());
        }
        let date: jiff::civil::Date = text.parse().map_err(|_| bad())?;
        let z = date.to_zoned(time_zone(zone)).map_err(|_| bad())?;
        Ok(Self(z.timestamp().as_millisecond()))
    }

    fn jiff(self) -> JiffTimestamp {
        JiffTimestamp::from_millisecond(self.0).unwrap_or(JiffTimestamp::UNIX_EPOCH)
    }

    fn zoned(self, zone: &str) -> jiff::Zoned {
        self.jiff().to_zoned(time_zone(zone))
    }
}

fn time_zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339_ms())
    }
}

/// Where the service learns what time it is.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock: the only one a running service has.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine"
    )]
    fn now(&self) -> Timestamp {
        Timestamp(JiffTimestamp::now().as_millisecond())
    }
}

/// A clock for tests: it stands still until told to move.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// Stands at `t`.
    #[must_use]
    pub const fn at(t: Timestamp) -> Self {
        Self(AtomicI64::new(t.0))
    }

    /// Moves later by `d`.
    pub fn advance(&self, d: Duration) {
        self.0
            .fetch_add(i64::try_from(d.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_with_three_digits_for_services_and_none_for_reports() {
        let t = Timestamp::parse_in("2026-03-02T09:14:07.129Z", "UTC").unwrap();
        assert_eq!(t.rfc3339_ms(), "2026-03-02T09:14:07.129Z");
        assert_eq!(t.rfc3339_s(), "2026-03-02T09:14:07Z");
        assert_eq!(
            Timestamp::from_ms(0).rfc3339_ms(),
            "1970-01-01T00:00:00.000Z"
        );
    }

    #[test]
    fn a_date_is_its_first_moment_in_the_zone() {
        let t = Timestamp::parse_in("2026-03-02", "Europe/Berlin").unwrap();
        assert_eq!(t.rfc3339_s(), "2026-03-01T23:00:00Z");
        assert!(Timestamp::parse_in("02.03.2026", "UTC").is_err());
        assert!(Timestamp::parse_in("2026-03-02T10:00:00", "UTC").is_err());
    }

    #[test]
    fn a_year_ends_with_the_last_second_of_the_local_day_and_clamps_leap_days() {
        let t = Timestamp::parse_in("2026-03-02T09:11:52Z", "UTC").unwrap();
        assert_eq!(
            t.end_of_day_after_months(12, "Europe/Berlin").rfc3339_s(),
            "2027-03-02T22:59:59Z"
        );
        let leap = Timestamp::parse_in("2028-02-29T12:00:00Z", "UTC").unwrap();
        assert_eq!(
            leap.end_of_day_after_months(12, "UTC").rfc3339_s(),
            "2029-02-28T23:59:59Z"
        );
    }
}

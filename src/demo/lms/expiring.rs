//! Things that count once or for a while: launch hints, picks, nonces, assertion ids, access tokens.

use std::collections::HashMap;

use crate::time::Timestamp;

/// At this many entries the oldest goes: a demo may be clicked at for days.
const MOST: usize = 2000;

/// Values under a key, each with its end.
#[derive(Debug)]
pub(super) struct Expiring<T>(HashMap<String, (Timestamp, T)>);

impl<T> Default for Expiring<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> Expiring<T> {
    /// Keeps `value` until `until`; false when the key is there already.
    pub(super) fn put(&mut self, key: &str, value: T, until: Timestamp, now: Timestamp) -> bool {
        self.0.retain(|_, (end, _)| *end > now);
        if self.0.contains_key(key) {
            return false;
        }
        if self.0.len() >= MOST {
            let oldest = self.0.iter().min_by_key(|(_, (end, _))| *end);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                self.0.remove(&key);
            }
        }
        self.0.insert(key.to_owned(), (until, value));
        true
    }

    /// The value, which stays.
    pub(super) fn get(&self, key: &str, now: Timestamp) -> Option<&T> {
        self.0
            .get(key)
            .filter(|(end, _)| *end > now)
            .map(|(_, value)| value)
    }

    /// The value, which is gone afterwards.
    pub(super) fn take(&mut self, key: &str, now: Timestamp) -> Option<T> {
        self.0
            .remove(key)
            .filter(|(end, _)| *end > now)
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_counts_once_and_until_its_end() {
        let (t0, t1) = (Timestamp::from_secs(0), Timestamp::from_secs(10));
        let mut e = Expiring::default();
        assert!(e.put("a", 1, t1, t0));
        assert!(!e.put("a", 2, t1, t0));
        assert_eq!(e.get("a", t0), Some(&1));
        assert_eq!(e.get("a", t1), None);
        assert_eq!(e.take("a", t0), Some(1));
        assert_eq!(e.take("a", t0), None);
        assert!(e.put("b", 3, t1, t0));
        assert!(e.put("b", 4, Timestamp::from_secs(20), t1));
    }
}

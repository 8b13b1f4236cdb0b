//! OIDs of a database's own objects: derived from their names, so that they are the same after a restart.

use std::collections::{BTreeSet, HashMap};

/// PostgreSQL gives OIDs from here on to what users create.
const FIRST: u32 = 16_384;
/// Some clients read an OID as a signed number.
const LAST: u32 = i32::MAX as u32;

/// Which OIDs stand for which objects. An object is a catalog and a name unique in it, as `pg_class` and `logs.okta`.
#[derive(Debug, Default)]
pub(crate) struct Oids {
    assigned: HashMap<(&'static str, String), u32>,
}

impl Oids {
    /// Gives every object its OID. The order of `objects` has no influence; where two fall on one number, the one whose
    /// catalog and name sort later takes the next number that is free.
    pub fn assign(objects: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        // Relations first: nothing else can move one from the place that `table_oid` computes.
        let objects: BTreeSet<_> =
            objects.into_iter().map(|(catalog, name)| (catalog != "pg_class", catalog, name)).collect();
        let mut taken = BTreeSet::new();
        let mut assigned = HashMap::new();
        for (_, catalog, name) in objects {
            let mut oid = place(catalog, &name);
            while !taken.insert(oid) {
                oid = if oid == LAST { FIRST } else { oid + 1 };
            }
            assigned.insert((catalog, name), oid);
        }
        Self { assigned }
    }

    /// 0 for an object that was not given one.
    pub fn get(&self, catalog: &'static str, name: &str) -> u32 {
        self.assigned.get(&(catalog, name.to_owned())).copied().unwrap_or(0)
    }
}

/// The OID of a role or database, which live beside every database's own objects.
pub(crate) fn shared_oid(catalog: &str, name: &str) -> u32 {
    place(catalog, name)
}

/// `pg_class.oid` of a table or view of the lake, from its name alone.
pub(crate) fn table_oid(schema: &str, name: &str) -> u32 {
    place("pg_class", &format!("{schema}.{name}"))
}

/// FNV-1a over catalog and name, folded into the range.
fn place(catalog: &str, name: &str) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in catalog.bytes().chain([0]).chain(name.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    FIRST + ((hash ^ (hash >> 32)) % u64::from(LAST - FIRST)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oids_do_not_depend_on_the_order_or_on_other_objects() {
        let all = [("pg_class", "logs.okta".to_owned()), ("pg_class", "logs.dns".to_owned())];
        let one = Oids::assign(all.clone());
        let other = Oids::assign(all.into_iter().rev().chain([("pg_type", "logs.okta".to_owned())]));
        assert_eq!(one.get("pg_class", "logs.okta"), other.get("pg_class", "logs.okta"));
        assert_ne!(other.get("pg_class", "logs.okta"), other.get("pg_type", "logs.okta"));
        assert!(one.get("pg_class", "logs.dns") >= FIRST);
        assert_eq!(one.get("pg_class", "logs.absent"), 0);
    }

    #[test]
    fn objects_on_one_number_are_moved_apart() {
        let names: Vec<_> = (0..200_000).map(|number| ("pg_class", number.to_string())).collect();
        let oids = Oids::assign(names.iter().cloned());
        let distinct: BTreeSet<u32> = names.iter().map(|(catalog, name)| oids.get(catalog, name)).collect();
        assert_eq!(distinct.len(), names.len());
    }
}

//! Larkspur Labs: who works there, from where, and what they run. The same for every seed, so that it can be written
//! about.

use crate::geo::{self, RANGES, Use};
use crate::rhythm::presence;
use crate::rng::{Rng, mix};

pub const DOMAIN: &str = "larkspur.example";
pub const GITHUB_ORG: &str = "larkspur";

#[derive(Debug)]
pub struct City {
    pub name: &'static str,
    pub people: u64,
    pub utc_offset: i64,
}

pub const CITIES: &[City] = &[
    City { name: "San Francisco", people: 34, utc_offset: -8 },
    City { name: "New York", people: 22, utc_offset: -5 },
    City { name: "Austin", people: 18, utc_offset: -6 },
    City { name: "Berlin", people: 18, utc_offset: 1 },
    City { name: "London", people: 16, utc_offset: 0 },
    City { name: "Bengaluru", people: 12, utc_offset: 5 },
];

#[rustfmt::skip]
const FIRST: &[&str] = &[
    "ada", "bruno", "carmen", "dmitri", "elena", "farid", "grace", "hugo", "ines", "jonas", "keiko", "liam", "maya", "nadia",
    "omar", "priya", "quentin", "rosa", "samir", "tomas", "uma", "viktor", "wendy", "xenia", "yusuf", "zoe", "anika", "boris",
    "clara", "devon",
];
#[rustfmt::skip]
const LAST: &[&str] = &[
    "abbott", "bakshi", "castro", "delgado", "engel", "fischer", "gupta", "herrera", "ivanova", "jensen", "keller", "lindqvist",
    "moreau", "nair", "okafor", "petrov", "quist", "rossi", "sato", "tanaka", "underwood", "vogt", "whitman", "xu", "yilmaz",
    "zhang", "asante", "brandt", "costa", "dunne",
];

#[derive(Debug)]
pub struct Person {
    /// `first.last`, the login everywhere but on GitHub.
    pub login: String,
    pub display: String,
    pub email: String,
    pub github: String,
    pub city: &'static City,
    pub home_ip: u32,
    pub office_ip: u32,
    pub engineer: bool,
    /// Signs in to AWS with an IAM user of their own; other engineers come through single sign-on.
    pub iam_user: bool,
    pub browser: &'static Browser,
    /// Stable part of every vendor's id for this person.
    pub key: u64,
}

#[derive(Debug)]
pub struct Browser {
    pub name: &'static str,
    pub os: &'static str,
    pub agent: &'static str,
}

#[rustfmt::skip]
pub const BROWSERS: &[Browser] = &[
    Browser { name: "CHROME", os: "Mac OS X", agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36" },
    Browser { name: "CHROME", os: "Windows 10", agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36" },
    Browser { name: "SAFARI", os: "Mac OS X", agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15" },
    Browser { name: "FIREFOX", os: "Linux", agent: "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0" },
];

#[derive(Debug)]
pub struct Account {
    pub id: &'static str,
    pub weight: u64,
    /// Second octet of its private network, 10.x.0.0/16.
    pub net: u32,
}

pub const ACCOUNTS: &[Account] = &[
    // prod
    Account { id: "418203756911", weight: 48, net: 20 },
    // data
    Account { id: "527419083362", weight: 20, net: 30 },
    // staging
    Account { id: "639510274485", weight: 14, net: 40 },
    // dev
    Account { id: "740621385596", weight: 12, net: 50 },
    // security
    Account { id: "851732496607", weight: 4, net: 60 },
    // management
    Account { id: "306294817720", weight: 2, net: 70 },
];
pub const ACCOUNT_WEIGHT: u64 = 100;
pub const PROD: &Account = &ACCOUNTS[0];
pub const DATA: &Account = &ACCOUNTS[1];

#[derive(Debug)]
pub struct Region {
    pub name: &'static str,
    pub weight: u64,
    pub city: &'static str,
}

pub const REGIONS: &[Region] = &[
    Region { name: "us-east-1", weight: 55, city: "Ashburn" },
    Region { name: "us-west-2", weight: 20, city: "Boardman" },
    Region { name: "eu-central-1", weight: 19, city: "Frankfurt" },
    Region { name: "eu-west-1", weight: 6, city: "Dublin" },
];
pub const REGION_WEIGHT: u64 = 100;

#[rustfmt::skip]
pub const BUCKETS: &[&str] = &[
    "larkspur-app-assets", "larkspur-customer-exports", "larkspur-data-lake-raw", "larkspur-data-lake-curated", "larkspur-backups",
    "larkspur-build-artifacts", "larkspur-cloudtrail-logs", "larkspur-ml-models", "larkspur-terraform-state", "larkspur-invoices",
];
#[rustfmt::skip]
pub const REPOS: &[&str] = &[
    "billing-engine", "web-app", "mobile-app", "payments-api", "auth-service", "data-pipeline", "ml-ranking", "infra", "terraform-modules",
    "design-system", "docs", "cli", "ingest-worker", "search", "notifications", "admin-console", "sdk-python", "sdk-go", "helm-charts",
    "runbooks", "fraud-models", "edge-proxy", "status-page", "load-tests",
];
#[rustfmt::skip]
pub const HOSTS: &[(&str, u32)] = &[
    ("bastion-1", ip(10, 20, 1, 10)), ("web-01", ip(10, 20, 4, 11)), ("web-02", ip(10, 20, 4, 12)), ("web-03", ip(10, 20, 4, 13)),
    ("api-01", ip(10, 20, 5, 21)), ("api-02", ip(10, 20, 5, 22)), ("db-01", ip(10, 20, 8, 31)), ("db-02", ip(10, 20, 8, 32)),
    ("cache-01", ip(10, 20, 9, 41)), ("worker-01", ip(10, 30, 4, 51)), ("worker-02", ip(10, 30, 4, 52)), ("ci-01", ip(10, 50, 2, 61)),
    ("mail-01", ip(10, 20, 6, 71)), ("vpn-01", ip(10, 20, 1, 81)),
];

pub const fn ip(a: u8, b: u8, c: u8, d: u8) -> u32 {
    u32::from_be_bytes([a, b, c, d])
}

#[derive(Debug)]
pub struct Org {
    pub people: Vec<Person>,
    pub engineers: Vec<usize>,
    pub iam_users: Vec<usize>,
}

impl Org {
    pub fn new() -> Self {
        let cities = CITIES.iter().flat_map(|city| std::iter::repeat_n(city, city.people as usize));
        let people: Vec<_> = cities.enumerate().map(|(index, city)| person(index, city)).collect();
        let indexes = |wanted: fn(&Person) -> bool| (0..people.len()).filter(|i| wanted(&people[*i])).collect();
        let engineers = indexes(|person| person.engineer);
        let iam_users = indexes(|person| person.iam_user);
        Self { people, engineers, iam_users }
    }

    /// Somebody of `among` who may well be at work in this hour.
    pub fn at_work<'a>(&'a self, rng: &mut Rng, among: &[usize], hour: usize) -> &'a Person {
        for _ in 0..24 {
            let person = &self.people[*rng.pick(among)];
            if rng.below(100) < presence(person.city, hour) {
                return person;
            }
        }
        &self.people[*rng.pick(among)]
    }

    pub fn anybody<'a>(&'a self, rng: &mut Rng, hour: usize) -> &'a Person {
        for _ in 0..24 {
            let person = rng.pick(&self.people);
            if rng.below(100) < presence(person.city, hour) {
                return person;
            }
        }
        rng.pick(&self.people)
    }

    pub fn by_login(&self, login: &str) -> &Person {
        self.people.iter().find(|person| person.login == login).unwrap_or(&self.people[0])
    }
}

impl Person {
    /// Office or home, one of them for a whole day.
    pub fn ip(&self, micros: i64) -> u32 {
        let day = micros.div_euclid(86_400_000_000);
        let weekend = matches!((day + 3).rem_euclid(7), 5 | 6);
        if weekend || mix(self.key ^ day as u64) % 100 < 35 { self.home_ip } else { self.office_ip }
    }
}

fn person(index: usize, city: &'static City) -> Person {
    // 30 is coprime to 7, so that no pair of names comes twice within 900 people.
    let first = FIRST[index % FIRST.len()];
    let last = LAST[(index * 7 + index / FIRST.len()) % LAST.len()];
    let key = mix(index as u64 + 1);
    let engineer = index.is_multiple_of(2);
    let office = address(Use::Office, city.name, key);
    let home = address(Use::Home, city.name, mix(key));
    Person {
        login: format!("{first}.{last}"),
        display: format!("{} {}", capitalised(first), capitalised(last)),
        email: format!("{first}.{last}@{DOMAIN}"),
        github: format!("{first}-{last}"),
        city,
        home_ip: home,
        office_ip: office,
        engineer,
        iam_user: engineer && index.is_multiple_of(3),
        browser: &BROWSERS[(key % 7 % 4) as usize],
        key,
    }
}

/// An address of that use in that city, the same for the same key.
pub fn address(used: Use, city: &str, key: u64) -> u32 {
    let range = RANGES.iter().find(|(of, range)| *of == used && range.city == city).map(|(_, range)| range);
    let (base, size) = geo::span(range.map_or("192.0.2.0/32", |range| range.cidr));
    base + 1 + (key % u64::from(size.saturating_sub(2).max(1))) as u32
}

fn capitalised(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_hundred_and_twenty_people_with_names_and_addresses_of_their_own() {
        let org = Org::new();
        assert_eq!(org.people.len(), 120);
        assert_eq!(org.people.iter().map(|person| &person.login).collect::<HashSet<_>>().len(), 120);
        assert_eq!(org.people.iter().map(|person| person.home_ip).collect::<HashSet<_>>().len(), 120);
        for person in &org.people {
            for ip in [person.home_ip, person.office_ip] {
                assert_eq!(geo::range_of(ip).unwrap().city, person.city.name);
            }
        }
        assert!(org.iam_users.len() >= 15 && org.engineers.len() == 60);
    }

    #[test]
    fn weights_add_up() {
        assert_eq!(ACCOUNTS.iter().map(|account| account.weight).sum::<u64>(), ACCOUNT_WEIGHT);
        assert_eq!(REGIONS.iter().map(|region| region.weight).sum::<u64>(), REGION_WEIGHT);
    }
}

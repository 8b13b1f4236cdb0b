//! Where the sample's addresses are. The networks are invented; see the crate's first page.

/// One network: what a geo database would say of its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeoRange {
    pub cidr: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    pub city: &'static str,
    pub asn: u32,
    pub as_org: &'static str,
}

/// Every public address of the sample is in exactly one of these.
pub fn geo_ranges() -> Vec<GeoRange> {
    RANGES.iter().map(|(_, range)| *range).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    Office,
    Home,
    Cloud,
    /// Customers of the organisation's web site, and whoever scans it.
    Internet,
    Attacker,
}

const fn range(
    cidr: &'static str,
    country: &'static str,
    city: &'static str,
    asn: u32,
    as_org: &'static str,
) -> GeoRange {
    GeoRange { cidr, country, city, asn, as_org }
}

#[rustfmt::skip]
pub const RANGES: &[(Use, GeoRange)] = &[
    (Use::Office, range("63.84.12.0/28", "US", "San Francisco", 64512, "Larkspur Labs")),
    (Use::Office, range("63.84.19.0/28", "US", "New York", 64512, "Larkspur Labs")),
    (Use::Office, range("63.84.27.0/28", "US", "Austin", 64512, "Larkspur Labs")),
    (Use::Office, range("91.64.208.0/28", "DE", "Berlin", 64512, "Larkspur Labs")),
    (Use::Office, range("81.143.40.0/28", "GB", "London", 64512, "Larkspur Labs")),
    (Use::Office, range("106.51.72.0/28", "IN", "Bengaluru", 64512, "Larkspur Labs")),
    (Use::Home, range("73.15.0.0/16", "US", "San Francisco", 64601, "Bayline Cable")),
    (Use::Home, range("108.30.0.0/16", "US", "New York", 64602, "Hudson Fiber")),
    (Use::Home, range("70.112.0.0/16", "US", "Austin", 64603, "Lone Star Broadband")),
    (Use::Home, range("95.90.0.0/16", "DE", "Berlin", 64604, "Spreenetz")),
    (Use::Home, range("86.150.0.0/16", "GB", "London", 64605, "Albion Broadband")),
    (Use::Home, range("106.200.0.0/16", "IN", "Bengaluru", 64606, "Deccan Net")),
    (Use::Cloud, range("52.20.0.0/16", "US", "Ashburn", 64701, "Cirrus Cloud")),
    (Use::Cloud, range("44.230.0.0/16", "US", "Boardman", 64701, "Cirrus Cloud")),
    (Use::Cloud, range("3.120.0.0/16", "DE", "Frankfurt", 64701, "Cirrus Cloud")),
    (Use::Cloud, range("34.240.0.0/16", "IE", "Dublin", 64701, "Cirrus Cloud")),
    (Use::Internet, range("24.18.0.0/16", "US", "Chicago", 64801, "Prairie Cable")),
    (Use::Internet, range("98.207.0.0/16", "US", "Chicago", 64802, "Lakefront Wireless")),
    (Use::Internet, range("174.195.0.0/16", "US", "New York", 64803, "Empire Mobile")),
    (Use::Internet, range("107.77.0.0/16", "US", "Austin", 64804, "Southern Mobile")),
    (Use::Internet, range("72.136.0.0/16", "CA", "Toronto", 64805, "Maple Telecom")),
    (Use::Internet, range("79.192.0.0/16", "DE", "Berlin", 64806, "Rheinfunk")),
    (Use::Internet, range("90.24.0.0/16", "FR", "Paris", 64807, "Lutece Telecom")),
    (Use::Internet, range("82.26.0.0/16", "GB", "London", 64808, "Thames Mobile")),
    (Use::Internet, range("121.44.0.0/16", "AU", "Sydney", 64809, "Harbour Net")),
    (Use::Internet, range("126.40.0.0/16", "JP", "Tokyo", 64810, "Kanto Line")),
    (Use::Internet, range("112.134.0.0/16", "IN", "Bengaluru", 64811, "Mysore Mobile")),
    (Use::Internet, range("177.33.0.0/16", "BR", "São Paulo", 64812, "Paulista Fibra")),
    (Use::Internet, range("113.160.0.0/16", "VN", "Hanoi", 64813, "Red River Telecom")),
    (Use::Internet, range("119.28.0.0/16", "CN", "Shenzhen", 64814, "Pearl Delta Hosting")),
    (Use::Internet, range("95.24.0.0/16", "RU", "Saint Petersburg", 64815, "Neva Line")),
    (Use::Internet, range("175.193.0.0/16", "KR", "Seoul", 64816, "Han River Broadband")),
    (Use::Internet, range("78.160.0.0/16", "TR", "Istanbul", 64817, "Bosphorus Net")),
    (Use::Internet, range("36.68.0.0/16", "ID", "Jakarta", 64818, "Nusa Telecom")),
    (Use::Internet, range("89.248.0.0/16", "NL", "Amsterdam", 64819, "Polder Hosting")),
    (Use::Attacker, range("203.0.113.64/27", "NL", "Amsterdam", 64901, "Grachten VPS")),
    (Use::Attacker, range("203.0.113.128/27", "NG", "Lagos", 64902, "Lagoon Mobile")),
    (Use::Attacker, range("198.51.100.0/26", "RO", "Bucharest", 64903, "Dambovita Hosting")),
    (Use::Attacker, range("198.51.100.64/26", "RU", "Saint Petersburg", 64904, "Kronstadt Servers")),
    (Use::Attacker, range("192.0.2.128/26", "VN", "Hanoi", 64905, "Long Bien Hosting")),
    (Use::Attacker, range("192.0.2.192/26", "BR", "São Paulo", 64906, "Tiete Hosting")),
];

/// First address and number of addresses of an IPv4 network in CIDR form.
pub fn span(cidr: &str) -> (u32, u32) {
    let (address, bits) = cidr.split_once('/').unwrap_or((cidr, "32"));
    let base = address.parse::<std::net::Ipv4Addr>().map_or(0, u32::from);
    let bits: u32 = bits.parse().unwrap_or(32);
    (base, 1 << (32 - bits))
}

/// What a vendor that resolves addresses itself (Okta, GuardDuty) says of a city.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub city: &'static str,
    pub state: &'static str,
    pub country_name: &'static str,
    pub lat: &'static str,
    pub lon: &'static str,
}

const fn place(
    city: &'static str,
    state: &'static str,
    country_name: &'static str,
    lat: &'static str,
    lon: &'static str,
) -> Place {
    Place { city, state, country_name, lat, lon }
}

#[rustfmt::skip]
pub const PLACES: &[Place] = &[
    place("San Francisco", "California", "United States", "37.7749", "-122.4194"),
    place("New York", "New York", "United States", "40.7128", "-74.006"),
    place("Austin", "Texas", "United States", "30.2672", "-97.7431"),
    place("Berlin", "Berlin", "Germany", "52.52", "13.405"),
    place("London", "England", "United Kingdom", "51.5074", "-0.1278"),
    place("Bengaluru", "Karnataka", "India", "12.9716", "77.5946"),
    place("Ashburn", "Virginia", "United States", "39.0438", "-77.4874"),
    place("Boardman", "Oregon", "United States", "45.8399", "-119.7006"),
    place("Frankfurt", "Hesse", "Germany", "50.1109", "8.6821"),
    place("Dublin", "Leinster", "Ireland", "53.3498", "-6.2603"),
    place("Chicago", "Illinois", "United States", "41.8781", "-87.6298"),
    place("Toronto", "Ontario", "Canada", "43.6532", "-79.3832"),
    place("Paris", "Île-de-France", "France", "48.8566", "2.3522"),
    place("Sydney", "New South Wales", "Australia", "-33.8688", "151.2093"),
    place("Tokyo", "Tokyo", "Japan", "35.6762", "139.6503"),
    place("São Paulo", "São Paulo", "Brazil", "-23.5505", "-46.6333"),
    place("Hanoi", "Hanoi", "Vietnam", "21.0278", "105.8342"),
    place("Shenzhen", "Guangdong", "China", "22.5431", "114.0579"),
    place("Saint Petersburg", "St.-Petersburg", "Russia", "59.9311", "30.3609"),
    place("Seoul", "Seoul", "South Korea", "37.5665", "126.978"),
    place("Istanbul", "Istanbul", "Turkey", "41.0082", "28.9784"),
    place("Jakarta", "Jakarta", "Indonesia", "-6.2088", "106.8456"),
    place("Amsterdam", "North Holland", "Netherlands", "52.3676", "4.9041"),
    place("Bucharest", "Bucharest", "Romania", "44.4268", "26.1025"),
    place("Lagos", "Lagos", "Nigeria", "6.5244", "3.3792"),
];

/// The network that an address is in.
pub fn range_of(ip: u32) -> Option<&'static GeoRange> {
    RANGES.iter().map(|(_, range)| range).find(|range| {
        let (base, size) = span(range.cidr);
        (base..=base + (size - 1)).contains(&ip)
    })
}

pub fn place_of(city: &str) -> &'static Place {
    PLACES.iter().find(|place| place.city == city).unwrap_or(&PLACES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_do_not_overlap_and_have_a_place() {
        let mut spans: Vec<_> = RANGES.iter().map(|(_, range)| (span(range.cidr), range)).collect();
        spans.sort_by_key(|(span, _)| *span);
        for pair in spans.windows(2) {
            let ((base, size), _) = pair[0];
            assert!(base + size <= pair[1].0.0, "{:?} {:?}", pair[0], pair[1]);
        }
        for (_, range) in RANGES {
            let (base, size) = span(range.cidr);
            assert!(base > 0 && base % size == 0, "{range:?}");
            assert!(PLACES.iter().any(|place| place.city == range.city), "{range:?}");
        }
    }
}

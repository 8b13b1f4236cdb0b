//! Questions that can be answered: for help and for suggestions. A test holds them to it.

const EXAMPLES: &[&str] = &[
    "When was the last time root was used?",
    "Show me all failed logins from outside the US this week",
    "List all S3 buckets created in the last 24 hours",
    "console logins without MFA in the last 30 days",
    "top 10 source IPs by failed logins",
    "who created access keys in the last 7 days",
    "how many failed logins yesterday",
    "failed logins by country this month",
    "security groups opened to the world in the last 7 days",
    "high severity findings in the last 3 days",
    "everything from 203.0.113.7 in the last 24 hours",
    "rejected connections to port 22 today",
    "top 5 destinations by bytes this week",
    "okta failures by reason in the last 7 days",
    "repos made public in the last 30 days",
    "kubectl exec into pods in namespace prod",
    "failed ssh logins by host in the last 7 days",
    "what percentage of logins failed in the last 24 hours",
    "users with more than 10 failed logins today",
    "events per hour today",
];

/// Questions that the built-in translator answers.
pub fn examples() -> &'static [&'static str] {
    EXAMPLES
}

/// The examples that share most words with a question.
pub(crate) fn nearest(question: &str) -> Vec<String> {
    let words: Vec<String> = question
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| w.len() > 2)
        .map(str::to_owned)
        .collect();
    let mut ranked: Vec<(usize, &str)> = EXAMPLES
        .iter()
        .map(|example| {
            let low = example.to_lowercase();
            (words.iter().filter(|word| low.contains(word.as_str())).count(), *example)
        })
        .collect();
    ranked.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
    ranked.into_iter().take(3).map(|(_, example)| example.to_owned()).collect()
}

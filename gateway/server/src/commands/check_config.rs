use super::Failure;
use crate::config::Config;

/// `mantissa check-config`: the configuration in force, or every fault.
pub fn run(config: Result<Config, Failure>, json: bool) -> Result<(), Failure> {
    let config = config?;
    if json {
        let text = serde_json::to_string_pretty(&config).map_err(|error| Failure::message(error.to_string()))?;
        say!("{text}");
    } else {
        say!(
            "the configuration is fine: data in {}, listening on {}",
            config.data.display(),
            config.server.listen.join(", ")
        );
    }
    Ok(())
}

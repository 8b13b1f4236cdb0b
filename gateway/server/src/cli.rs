//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The Postgres server in front of a security data lake.
///
/// Any Postgres client connects to it, writes Postgres SQL or ASK 'a question in English', and gets rows back.
#[derive(Debug, Parser)]
#[command(name = "mantissa", version, max_term_width = 100)]
pub struct Arguments {
    /// Configuration file. Without it: mantissa.toml in the current folder, where it exists.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Folder that holds the lake and the metadata.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Print machine-readable JSON.
    #[arg(long, global = true)]
    pub json: bool,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the lake to Postgres clients.
    Serve(ServeArguments),
    /// Generate a sample lake and serve it: the quickest way to look around.
    Demo(DemoArguments),
    /// Load logs into the lake. The same file twice adds nothing.
    Ingest(IngestArguments),
    /// List the log sources, their tables and what they hold.
    Sources,
    /// Run one statement on the embedded engine and print its rows.
    Query {
        /// Postgres SQL over the tables of the lake.
        sql: String,
    },
    /// Ask a question in English and print the rows.
    Ask {
        question: String,
        /// Show the SQL and its estimated cost; run nothing.
        #[arg(long)]
        explain: bool,
    },
    /// Print a statement in the SQL of another engine.
    Translate {
        /// The language to translate to.
        #[arg(long, value_name = "NAME", value_parser = dialect_names())]
        dialect: String,
        /// The statement, or - to read it from standard input.
        sql: String,
    },
    /// Check the configuration and print every fault.
    CheckConfig,
    /// Manage users.
    #[command(subcommand)]
    User(UserCommand),
    /// Manage roles: what tables they may read, and their ceilings.
    #[command(subcommand)]
    Role(RoleCommand),
}

#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Address to listen on; may be given several times.
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Vec<String>,
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Port to listen on. Without it: 5432 where it is free, else any free port.
    #[arg(long)]
    pub port: Option<u16>,

    /// Events to generate; 0 serves what the folder already holds.
    #[arg(long, default_value_t = 500_000)]
    pub events: u64,

    /// The same seed gives the same events.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub struct IngestArguments {
    /// Log source, as `mantissa sources` lists them.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["rows", "retry_quarantine"], conflicts_with = "rows")]
    pub source: Option<String>,

    /// Load NDJSON that already has the columns of this table.
    #[arg(long, value_name = "TABLE", conflicts_with = "retry_quarantine")]
    pub rows: Option<String>,

    /// Parse what is in quarantine once more.
    #[arg(long)]
    pub retry_quarantine: bool,

    /// Files, folders, globs, - for standard input, or s3://, gs://, az:// URLs. Gzip and zstd are unpacked.
    #[arg(value_name = "PATH", required_unless_present = "retry_quarantine")]
    pub paths: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user. The password is read from standard input, or from a prompt without echo.
    Add {
        name: String,
        /// Role of the user; may be given several times.
        #[arg(long, default_value = "reader")]
        role: Vec<String>,
    },
    /// Change a user's password.
    Password { name: String },
    /// Remove a user.
    Remove { name: String },
    /// List the users.
    List,
}

#[derive(Debug, Subcommand)]
pub enum RoleCommand {
    /// Add a role.
    Add {
        name: String,
        /// Table that the role may read, `okta` or with columns `okta(time,actor_name)`; * for all. May be repeated.
        #[arg(long = "table", value_name = "TABLE", required = true)]
        tables: Vec<String>,
        /// Rows that one statement may return.
        #[arg(long)]
        max_rows: Option<u64>,
        /// Seconds that one statement may run.
        #[arg(long)]
        timeout: Option<u64>,
        /// Levels of subqueries.
        #[arg(long)]
        max_nesting: Option<u32>,
        /// US dollars that one statement may cost.
        #[arg(long)]
        max_usd: Option<f64>,
        /// Administrators read mantissa.audit and may end other users' sessions.
        #[arg(long)]
        admin: bool,
    },
    /// Remove a role that no user has.
    Remove { name: String },
    /// List the roles.
    List,
}

fn dialect_names() -> clap::builder::PossibleValuesParser {
    dialects::DIALECTS.iter().map(|dialect| dialect.name()).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}

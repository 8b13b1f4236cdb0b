//! The functions of canonical SQL, in one table. Guard's allow-list is made from it, and each dialect's list of what the
//! engine has to bring.

/// What a function is called in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    Scalar,
    Aggregate,
    Window,
    /// In FROM.
    Table,
}

/// As Postgres's `provolatile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

/// Who may call a function, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, anywhere.
    Everybody,
    /// Answered from the catalog and the session, not from the lake: statements over the system's tables or over none.
    Catalog,
    /// Nobody: it reads files, waits, changes state or runs what its argument says. Listed to be refused by name.
    Nobody,
}

/// One function of canonical SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    pub name: &'static str,
    pub kind: FunctionKind,
    pub volatility: Volatility,
    pub access: Access,
}

/// Every function, in the order of the table. A name that is scalar and table function stands twice.
pub fn functions() -> &'static [Function] {
    FUNCTIONS
}

/// Finds a function by its folded name; the first of its kinds.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Finds a function that may stand in FROM.
pub fn table_function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name && function.kind == FunctionKind::Table)
}

/// The function for everybody whose name is most like `name`, for a hint.
pub fn nearest_function(name: &str) -> Option<&'static str> {
    nearest(name, FUNCTIONS.iter().filter(|function| function.access == Access::Everybody).map(|f| f.name))
}

/// The candidate that is most like `name`, where one is near enough to be meant.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, nearest) = candidates.map(|candidate| (edit_distance(name, candidate), candidate)).min()?;
    (distance <= 1 + name.chars().count() / 4).then_some(nearest)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one name to the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().take(64).collect();
    let to: Vec<char> = to.chars().take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for i in 0..from.len() {
        let mut next = vec![i + 1; to.len() + 1];
        for j in 0..to.len() {
            let replaced = row[j] + usize::from(from[i] != to[j]);
            next[j + 1] = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && from[i] == to[j - 1] && from[i - 1] == to[j] {
                next[j + 1] = next[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut row, next);
    }
    row[to.len()]
}

/// What DataFusion lacks, or has with another meaning: the embedded engine registers each under exactly this name, with
/// the arguments and the meaning of the Postgres function beside it.
pub const ENGINE_FUNCTIONS: &[(&str, &str)] = &[
    ("json_get", "json -> key or index: json text, NULL where absent"),
    ("json_get_text", "json ->> key or index: unquoted text"),
    ("json_path", "json #> text[]: json text"),
    ("json_path_text", "json #>> text[]: unquoted text"),
    ("json_array_length", "json_array_length(json): int4"),
    ("json_typeof", "json_typeof(json): object, array, string, number, boolean, null"),
    ("json_exists", "json ? key: whether the object has the key, or the array the string"),
    ("json_contains", "json @> json"),
    ("pg_json", "text::json, text::jsonb: the text, after checking that it is JSON (22P02)"),
    ("pg_inet", "text::inet, text::cidr: the text, after checking that it is an address (22P02)"),
    ("inet_contains", "inet <<= inet: address or network within network"),
    ("inet_contains_strictly", "inet << inet"),
    ("host", "host(inet): the address without its mask"),
    ("masklen", "masklen(inet): int4"),
    ("family", "family(inet): 4 or 6"),
    ("network", "network(inet): the network with its mask"),
    ("pg_to_char", "to_char(timestamp, interval or number, format) with Postgres's patterns"),
    ("pg_to_timestamp", "to_timestamp(text, format) with Postgres's patterns: timestamptz"),
    ("pg_to_date", "to_date(text, format) with Postgres's patterns"),
    ("age", "age(timestamp, timestamp): interval of years, months, days"),
    ("justify_days", "justify_days(interval)"),
    ("justify_hours", "justify_hours(interval)"),
    ("justify_interval", "justify_interval(interval)"),
    ("make_interval", "make_interval(years, months, weeks, days, hours, mins, secs)"),
    ("make_timestamp", "make_timestamp(year, month, day, hour, min, sec)"),
    ("make_timestamptz", "make_timestamptz(year, month, day, hour, min, sec): in UTC"),
    ("isfinite", "isfinite(timestamp)"),
    ("format", "format(text, ...): %s, %I, %L, %%"),
    ("quote_literal", "quote_literal(text)"),
    ("quote_nullable", "quote_nullable(anyelement)"),
    ("quote_ident", "quote_ident(text)"),
    ("regexp_split_to_array", "regexp_split_to_array(text, pattern[, flags])"),
    ("regexp_substr", "regexp_substr(text, pattern[, start[, n[, flags[, group]]]])"),
    ("similar_to_regexp", "the regular expression of a SIMILAR TO pattern and its escape character"),
    ("pg_timezone", "x AT TIME ZONE zone: timestamptz to timestamp and the reverse"),
    ("pg_size_pretty", "pg_size_pretty(bigint)"),
    ("div", "div(numeric, numeric): quotient without its fraction"),
    ("mod", "mod(a, b): a % b"),
    ("sign", "sign(x)"),
    ("width_bucket", "width_bucket(x, low, high, count)"),
    ("unistr", "unistr(text)"),
    ("mode", "mode() WITHIN GROUP (ORDER BY x), as the aggregate mode(x)"),
    ("json_array_of", "json_agg(x), given array_agg(to_json(x))"),
    ("json_object_of", "json_object_agg(key, value), given array_agg(json_member(key, value))"),
    ("json_member", "one member of an object, as json text: \"key\" : value"),
    ("pg_varchar", "text::varchar(n): the first n characters"),
    ("pg_char", "text::char(n): the first n characters, with blanks up to n"),
    ("json_build_object", "json_build_object(key, value, ...): json text"),
    ("json_build_array", "json_build_array(value, ...): json text"),
    ("to_json", "to_json(anyelement): json text"),
    ("array_upper", "array_upper(array, dimension): int4"),
    ("array_lower", "array_lower(array, dimension): int4"),
    ("array_length", "array_length(array, dimension): int4"),
    ("array_ndims", "array_ndims(array): int4"),
    ("cardinality", "cardinality(array): int4"),
];

macro_rules! function_table {
    ($($kind:ident $volatility:ident $access:ident [$($name:literal)*])*) => {
        const FUNCTIONS: &[Function] = &[$($(Function {
            name: $name,
            kind: FunctionKind::$kind,
            volatility: Volatility::$volatility,
            access: Access::$access,
        },)*)*];
    };
}

function_table! {
    Aggregate Immutable Everybody [
        "any_value" "approx_distinct" "approx_median" "approx_percentile_cont" "array_agg" "avg" "bit_and" "bit_or"
        "bit_xor" "bool_and" "bool_or" "corr" "count" "covar_pop" "covar_samp" "every" "first_value" "grouping"
        "json_agg" "json_object_agg" "jsonb_agg" "jsonb_object_agg" "last_value" "max" "median" "min" "mode" "nth_value"
        "percentile_cont" "percentile_disc" "regr_avgx" "regr_avgy" "regr_count" "regr_intercept" "regr_r2" "regr_slope"
        "regr_sxx" "regr_sxy" "regr_syy" "stddev" "stddev_pop" "stddev_samp" "string_agg" "sum" "var_pop" "var_samp"
        "variance"
    ]
    Window Immutable Everybody [
        "cume_dist" "dense_rank" "lag" "lead" "ntile" "percent_rank" "rank" "row_number"
    ]
    Scalar Immutable Everybody [
        "abs" "acos" "acosh" "asin" "asinh" "atan" "atan2" "atanh" "cbrt" "ceil" "ceiling" "cos" "cosh" "cot" "degrees"
        "div" "exp" "factorial" "floor" "gcd" "lcm" "ln" "log" "log10" "log2" "mod" "pi" "pow" "power" "radians" "round"
        "sign" "sin" "sinh" "sqrt" "tan" "tanh" "trunc" "width_bucket"
        "ascii" "bit_length" "btrim" "char_length" "character_length" "chr" "concat" "concat_ws" "contains" "ends_with"
        "format" "initcap" "left" "length" "levenshtein" "lower" "lpad" "ltrim" "normalize" "octet_length" "overlay"
        "position" "quote_ident" "quote_literal" "quote_nullable" "regexp_count" "regexp_instr" "regexp_like"
        "regexp_match" "regexp_replace" "regexp_split_to_array" "regexp_substr" "repeat" "replace" "reverse" "right"
        "rpad" "rtrim" "split_part" "starts_with" "strpos" "substr" "substring" "to_hex" "translate" "trim" "unistr"
        "upper"
        "decode" "digest" "encode" "md5" "sha224" "sha256" "sha384" "sha512"
        "coalesce" "greatest" "least" "nullif" "num_nonnulls" "num_nulls"
        "date_bin" "isfinite" "justify_days" "justify_hours" "justify_interval" "make_date" "make_interval" "make_time"
        "make_timestamp"
        "array_append" "array_cat" "array_dims" "array_length" "array_lower" "array_ndims" "array_position"
        "array_positions" "array_prepend" "array_remove" "array_replace" "array_to_string" "array_upper" "cardinality"
        "string_to_array" "trim_array"
        "family" "host" "masklen" "network"
        "json_array_length" "json_build_array" "json_build_object" "json_extract_path" "json_extract_path_text"
        "json_typeof" "jsonb_array_length" "jsonb_build_array" "jsonb_build_object" "jsonb_extract_path"
        "jsonb_extract_path_text" "jsonb_typeof" "to_json" "to_jsonb"
        "bit_count" "get_byte" "row" "pg_size_pretty"
    ]
    Scalar Stable Everybody [
        "age" "date_part" "date_trunc" "extract" "localtime" "localtimestamp" "current_date" "current_time"
        "current_timestamp" "now" "statement_timestamp" "timezone" "to_char" "to_date" "to_number" "to_timestamp"
        "transaction_timestamp" "current_catalog" "current_database" "current_role" "current_schema" "current_user"
        "session_user" "user" "version" "make_timestamptz" "pg_typeof"
    ]
    Scalar Volatile Everybody ["clock_timestamp" "gen_random_uuid" "random" "timeofday"]
    Table Immutable Everybody ["generate_series" "unnest"]
    Scalar Immutable Everybody ["generate_series" "unnest"]
    Scalar Stable Catalog [
        "_pg_char_max_length" "_pg_char_octet_length" "_pg_datetime_precision" "_pg_expandarray" "_pg_index_position"
        "_pg_interval_type" "_pg_numeric_precision" "_pg_numeric_precision_radix" "_pg_numeric_scale" "_pg_truetypid"
        "_pg_truetypmod" "acldefault" "aclexplode" "array_in" "array_out" "array_recv" "cash_words" "col_description"
        "current_query" "current_schemas" "current_setting" "format_type" "generate_subscripts" "getdatabaseencoding"
        "has_any_column_privilege" "has_column_privilege" "has_database_privilege" "has_foreign_data_wrapper_privilege"
        "has_function_privilege" "has_language_privilege" "has_parameter_privilege" "has_schema_privilege"
        "has_sequence_privilege" "has_server_privilege" "has_table_privilege" "has_tablespace_privilege"
        "has_type_privilege" "inet_client_addr" "inet_client_port" "inet_server_addr" "inet_server_port"
        "makeaclitem" "obj_description" "oidvectortypes" "parse_ident" "pg_backend_pid" "pg_blocking_pids"
        "pg_char_to_encoding" "pg_client_encoding" "pg_collation_actual_version" "pg_collation_is_visible"
        "pg_column_compression" "pg_column_is_updatable" "pg_column_size" "pg_conf_load_time" "pg_conversion_is_visible"
        "pg_current_snapshot" "pg_current_xact_id" "pg_database_size" "pg_describe_object" "pg_encoding_max_length"
        "pg_encoding_to_char" "pg_function_is_visible" "pg_get_constraintdef" "pg_get_expr" "pg_get_function_arg_default"
        "pg_get_function_arguments" "pg_get_function_identity_arguments" "pg_get_function_result"
        "pg_get_function_sqlbody" "pg_get_functiondef" "pg_get_indexdef" "pg_get_partition_constraintdef"
        "pg_get_partkeydef" "pg_get_ruledef" "pg_get_serial_sequence" "pg_get_statisticsobjdef"
        "pg_get_statisticsobjdef_columns" "pg_get_statisticsobjdef_expressions" "pg_get_triggerdef" "pg_get_userbyid"
        "pg_get_viewdef" "pg_has_role" "pg_identify_object" "pg_identify_object_as_address" "pg_index_column_has_property"
        "pg_index_has_property" "pg_indexam_has_property" "pg_indexes_size" "pg_is_in_recovery" "pg_is_other_temp_schema"
        "pg_is_wal_replay_paused" "pg_jit_available" "pg_last_wal_receive_lsn" "pg_last_wal_replay_lsn"
        "pg_last_xact_replay_timestamp" "pg_my_temp_schema" "pg_opclass_is_visible" "pg_operator_is_visible"
        "pg_opfamily_is_visible" "pg_partition_root" "pg_postmaster_start_time" "pg_relation_filenode"
        "pg_relation_filepath" "pg_relation_is_publishable" "pg_relation_is_updatable" "pg_relation_size"
        "pg_safe_snapshot_blocking_pids" "pg_sequence_last_value" "pg_sequence_parameters"
        "pg_stat_get_backend_activity" "pg_stat_get_last_analyze_time" "pg_stat_get_last_vacuum_time"
        "pg_stat_get_live_tuples" "pg_stat_get_numscans" "pg_statistics_obj_is_visible" "pg_table_is_visible"
        "pg_table_size" "pg_tablespace_location" "pg_tablespace_size" "pg_total_relation_size"
        "pg_ts_config_is_visible" "pg_ts_dict_is_visible" "pg_ts_parser_is_visible" "pg_ts_template_is_visible"
        "pg_type_is_visible" "quote_all_identifiers" "row_security_active" "row_to_json" "shobj_description"
        "to_regclass" "to_regcollation" "to_regnamespace" "to_regoper" "to_regoperator" "to_regproc" "to_regprocedure"
        "to_regrole" "to_regtype" "txid_current" "txid_current_snapshot" "txid_snapshot_xmin" "json_array_elements"
        "json_array_elements_text" "regexp_matches" "regexp_split_to_table" "string_to_table"
    ]
    Scalar Volatile Catalog [
        "pg_advisory_unlock_all" "pg_cancel_backend" "pg_terminate_backend" "set_config"
    ]
    Table Stable Catalog [
        "_pg_expandarray" "aclexplode" "current_schemas" "generate_subscripts" "json_array_elements"
        "json_array_elements_text" "pg_available_extension_versions" "pg_available_extensions" "pg_config"
        "pg_cursor" "pg_get_catalog_foreign_keys" "pg_get_keywords" "pg_listening_channels" "pg_lock_status"
        "pg_options_to_table" "pg_partition_ancestors" "pg_partition_tree" "pg_prepared_statement" "pg_prepared_xact"
        "pg_sequence_parameters" "pg_show_all_settings" "pg_stat_get_activity" "pg_stat_get_backend_idset"
        "pg_stat_get_progress_info" "pg_stat_get_wal_senders" "pg_timezone_abbrevs" "pg_timezone_names"
        "regexp_matches" "regexp_split_to_table" "string_to_table" "current_database" "current_schema" "version"
    ]
    Scalar Volatile Nobody [
        "copy" "currval" "database_to_xml" "dblink" "dblink_connect" "dblink_exec" "dblink_open" "dblink_send_query"
        "external_query" "file_row_index" "http_get" "http_post" "input_file_name" "lastval" "lo_create" "lo_export"
        "lo_from_bytea" "lo_get" "lo_import" "lo_open" "lo_put" "lo_unlink" "loread" "lowrite" "nextval"
        "pg_advisory_lock" "pg_advisory_xact_lock" "pg_create_physical_replication_slot" "pg_create_restore_point"
        "pg_current_logfile" "pg_export_snapshot" "pg_file_read" "pg_file_rename" "pg_file_unlink" "pg_file_write"
        "pg_logical_emit_message" "pg_ls_archive_statusdir" "pg_ls_dir" "pg_ls_logdir" "pg_ls_tmpdir" "pg_ls_waldir"
        "pg_logdir_ls" "pg_notify" "pg_promote" "pg_read_binary_file" "pg_read_file" "pg_read_server_files"
        "pg_reload_conf" "pg_rotate_logfile" "pg_sleep" "pg_sleep_for" "pg_sleep_until" "pg_start_backup"
        "pg_stat_file" "pg_stat_reset" "pg_switch_wal" "pg_try_advisory_lock" "query_to_xml" "setseed" "setval"
        "sleep" "system" "table_to_xml" "xmlparse" "read_csv" "read_json" "read_parquet" "read_text" "read_blob"
        "parquet_scan" "glob" "openrowset" "opendatasource" "openquery" "xp_cmdshell" "ml_predict"
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_in_each_kind() {
        for (index, function) in FUNCTIONS.iter().enumerate() {
            let again =
                FUNCTIONS[index + 1..].iter().any(|other| (other.name, other.kind) == (function.name, function.kind));
            assert!(!again, "{} stands twice", function.name);
        }
    }

    #[test]
    fn a_slip_of_the_pen_finds_the_function_that_was_meant() {
        assert_eq!(nearest_function("cuont"), Some("count"));
        assert_eq!(nearest_function("date_trun"), Some("date_trunc"));
        assert_eq!(nearest_function("completely_unknown_thing"), None);
    }
}

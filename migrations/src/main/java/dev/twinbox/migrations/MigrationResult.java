package dev.twinbox.migrations;

/**
 * What a run of the migrations did.
 *
 * @param schema the schema that holds the tables
 * @param applied how many migrations this run applied; 0 when the schema was up to date
 * @param version the schema's version now
 */
public record MigrationResult(String schema, int applied, String version) {}

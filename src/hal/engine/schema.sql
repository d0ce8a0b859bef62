-- The household's records. Tables and columns carry the names of the QM files and dictionary items they
-- stand in for; "field N" is the attribute number in QM where it is fixed. Dates are ISO 8601 text,
-- times "HH:MM", money whole cents. Every statement may be run again on an existing database.

CREATE TABLE IF NOT EXISTS medication (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,              -- field 2
    brand TEXT NOT NULL DEFAULT '',
    form TEXT NOT NULL DEFAULT '',
    dosage TEXT NOT NULL,                   -- field 5, as "500 mg"
    frequency TEXT NOT NULL,                -- field 7, as "twice a day"
    times TEXT NOT NULL DEFAULT '',         -- "08:00,18:00"; empty when taken as needed
    instructions TEXT NOT NULL DEFAULT '',
    purpose TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL CHECK (status IN ('active', 'inactive')),  -- field 11
    prescriber TEXT NOT NULL DEFAULT '',
    start_date TEXT,
    end_date TEXT,
    refill_date TEXT,                       -- when the supply runs out; null when none is tracked
    refills_left INTEGER
) STRICT;

CREATE TABLE IF NOT EXISTS appointment (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    specialty TEXT NOT NULL DEFAULT '',
    date TEXT NOT NULL,                     -- field 4
    time TEXT NOT NULL,                     -- field 5
    location TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL CHECK (status IN ('scheduled', 'completed', 'cancelled'))
) STRICT;
CREATE INDEX IF NOT EXISTS appointment_by_date ON appointment (date, time);

CREATE TABLE IF NOT EXISTS allergy (
    id INTEGER PRIMARY KEY,
    allergen TEXT NOT NULL UNIQUE,          -- field 2
    category TEXT NOT NULL CHECK (category IN ('drug', 'food', 'environment')),
    severity TEXT NOT NULL CHECK (severity IN ('mild', 'moderate', 'severe')),  -- field 4
    reaction TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE IF NOT EXISTS health_data (
    id INTEGER PRIMARY KEY,
    metric TEXT NOT NULL,                   -- "blood pressure", "weight", "glucose", "heart rate"
    value REAL NOT NULL,
    second_value REAL,                      -- diastolic, for blood pressure
    unit TEXT NOT NULL,
    date TEXT NOT NULL,
    time TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS health_data_by_metric ON health_data (metric, date, time);

-- Named in the plural because TRANSACTION is a word of SQL.
CREATE TABLE IF NOT EXISTS transactions (
    id INTEGER PRIMARY KEY,
    date TEXT NOT NULL,
    merchant TEXT NOT NULL,
    category TEXT NOT NULL,
    cents INTEGER NOT NULL                  -- positive: spent; negative: received
) STRICT;
CREATE INDEX IF NOT EXISTS transactions_by_date ON transactions (date);

CREATE TABLE IF NOT EXISTS conversation (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,                       -- UTC, ISO 8601
    session TEXT NOT NULL,
    client TEXT NOT NULL,
    question TEXT NOT NULL,
    intent TEXT NOT NULL,
    action TEXT NOT NULL,
    status TEXT NOT NULL
) STRICT;

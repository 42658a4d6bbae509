-- Measured per predicted second of each stage, as the decision took them; null where nothing was measured.
ALTER TABLE decisions ADD COLUMN corrections_json TEXT;

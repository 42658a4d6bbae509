-- Whether the cut that was found was followed, what a switch was taken to cost, and what the cut that was kept costs.
ALTER TABLE decisions ADD COLUMN switching_json TEXT;

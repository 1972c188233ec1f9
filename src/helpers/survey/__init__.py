"""From the questionnaire's export to one clean row a respondent."""

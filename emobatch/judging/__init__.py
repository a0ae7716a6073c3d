"""A language model that reviews final emotions (EmoJudge: Singh and Villalba, Interspeech 2025)."""

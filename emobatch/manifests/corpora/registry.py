"""All corpora that `emobatch manifest CORPUS` knows, by name."""

from __future__ import annotations

from emobatch.manifests.corpora.corpus import Corpus
from emobatch.registry import Registry

_HOME = "emobatch.manifests.corpora"
CORPORA: Registry[type[Corpus]] = Registry(
    "corpus",
    {
        "iemocap": f"{_HOME}.iemocap:Iemocap",
        "msp-improv": f"{_HOME}.msp_improv:MspImprov",
        "msp-podcast": f"{_HOME}.msp_podcast:MspPodcast",
        "ravdess": f"{_HOME}.ravdess:Ravdess",
        "crema-d": f"{_HOME}.crema_d:CremaD",
        "emodb": f"{_HOME}.emodb:EmoDb",
        "meld": f"{_HOME}.meld:Meld",
        "cmu-mosei": f"{_HOME}.cmu_mosei:CmuMosei",
        "tess": f"{_HOME}.tess:Tess",
        "savee": f"{_HOME}.savee:Savee",
        "esd": f"{_HOME}.esd:Esd",
        "emov-db": f"{_HOME}.emov_db:EmovDb",
        "jl-corpus": f"{_HOME}.jl_corpus:JlCorpus",
    },
)

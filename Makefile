# The verbs of the HAL network. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Only where podman's defaults cannot work does the lab write this file.
export CONTAINERS_CONF ?= $(wildcard $(CURDIR)/.lab/containers.conf)
ifeq ($(CONTAINERS_CONF),)
unexport CONTAINERS_CONF
endif
# Images of containers often forbid Python to keep its bytecode: then every start of Ansible compiles all of it anew. It is
# kept in one place, so that none lies in roles/*/files, which go to hosts as they are.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/bytecode

export Q ?= What medications am I taking?
HOST ?= qm1
ROLE ?=
IMAGE ?=
PROFILE ?=
INVENTORY ?= inventories/production
export KIT ?=
REPLACE ?=
export ONLY ?=
REINSTALLED ?=
APPLY ?=
ARGS ?=
KILLS ?= 20
FRAMES ?= 1000000
REQUESTS ?= 100000
SEED ?=
AGAINST ?=
PATHS ?= src library module_utils

.PHONY: help
help: ## List these verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.PHONY: tools
tools: ## Install what the lab and the tests need on this machine
	@lab/bootstrap.sh

.PHONY: python-tools
python-tools: ## Install what the controller of the real network needs, also on a Mac
	@lab/bootstrap.sh --python-only

.PHONY: test-tools
test-tools:
	@lab/bootstrap.sh --for-tests

.PHONY: lab
lab: tools ## Bring the whole network up on this machine and ask it something; with twins: make lab PROFILE=ha
	@python -m lab up $(if $(PROFILE),--profile $(PROFILE))

.PHONY: lab-down
lab-down: ## Remove everything the lab made, but for the downloads
	@python -m lab down

.PHONY: lab-clear
lab-clear: ## Remove every lab of this machine, those that other checkouts have left, too
	@python -m lab clear

.PHONY: converge
converge: ## Run site.yml again
	@ansible-playbook site.yml

.PHONY: upgrade
upgrade: python-tools ## Bring the hosts to new pins, one by one, each back if it is not well: make upgrade [HOST=ubuai]
	@python -m production.upgrade --inventory $(INVENTORY) $(if $(filter command,$(firstword $(origin HOST))),--host $(HOST))

.PHONY: health
health: ## Run every check and write reports/health.html, a page to read, and health.json
	@ansible-playbook playbooks/verify.yml

.PHONY: docs
docs: ## Write the network reference and a card to print to reports/network/
	@ansible-playbook playbooks/docs.yml

.PHONY: status
status: ## Show the last report of the checks in this terminal
	@python -m hal.client.cli status --report reports

.PHONY: drift
drift: ## List what site.yml would change, host by host, and tell the monitoring
	@ansible-playbook playbooks/drift.yml

.PHONY: sbom
sbom: ## Write what is installed on every host, and what each lock pins, to reports/sbom/, as CycloneDX
	@ansible-playbook playbooks/sbom.yml

.PHONY: drift-schedule
drift-schedule: ## Have that done every day by this computer
	@ansible-playbook playbooks/drift_schedule.yml

.PHONY: ask
ask: ## Ask HAL by text: make ask Q='When is my next appointment?'
	@python -m lab client ask "$${Q}"

.PHONY: say
say: ## Ask HAL by voice: the question is spoken, its sound is sent
	@python -m lab client say "$${Q}"

.PHONY: shell
shell: ## Open a shell on a host of the lab: make shell HOST=ubuai
	@python -m lab shell $(HOST)

.PHONY: drill
drill: ## Lose a host of the lab for good, bring it back, measure: make drill HOST=ubuai, HOST=all, or HOST=house
	@python -m lab drill $(HOST)

.PHONY: recovery-kit
recovery-kit: python-tools ## What a new controller needs, in one encrypted file, and a sheet to print: make recovery-kit KIT=FILE
	@ansible-playbook -i $(INVENTORY) playbooks/recovery_kit.yml $(if $(KIT),-e "{\"kit\": \"$$KIT\"}") $(if $(REPLACE),-e replace=true)

.PHONY: recover-house
recover-house: python-tools ## Make this computer the controller, and bring back what is lost: make recover-house KIT=FILE
	@python -m production.recover_house --kit "$$KIT" $(if $(REINSTALLED),--reinstalled $(REINSTALLED)) $(ARGS)

.PHONY: production-init
production-init: python-tools ## Fill in the production inventory: a few questions, the secrets made and encrypted
	@python -m production.init

.PHONY: rotate-secrets
rotate-secrets: python-tools ## Replace the production secrets that HAL has made: make rotate-secrets [ONLY=backups,tokens,pair]
	@ansible-playbook -i $(INVENTORY) playbooks/rotate_secrets.yml $(if $(ONLY),-e "{\"rotate_only\": \"$$ONLY\"}")

.PHONY: vault-password
vault-password: python-tools ## Give the production vault another password
	@python -m production.vault_password

.PHONY: production-secrets
production-secrets: python-tools ## Edit the production secrets
	@ansible-vault edit --vault-password-file "$${ANSIBLE_VAULT_PASSWORD_FILE:-$(HOME)/.config/hal/vault-password}" inventories/production/vault.yml

.PHONY: lint
lint: tools ## Formatting, lint, types, with ansible-lint
	@python tests/run.py lint

.PHONY: check
check: tools ## While working: lint, ansible-lint of what has changed, types, quick unit tests; two minutes
	@python tests/run.py check

.PHONY: unit
ifdef T
unit: python-tools
	@pytest -q $(T)
else
unit: test-tools ## Unit tests; one of them, or those of a folder: make unit T=tests/unit/callback
	@python tests/run.py unit
endif

.PHONY: contributor-tools
contributor-tools: python-tools
	@uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements/contributor.txt

.PHONY: mutate
mutate: contributor-tools ## What no test notices: make mutate PATHS=library [ALL=yes] [MUTANTS=100] [SECONDS=600] [SEED=7]
	@python tests/mutate.py $(PATHS) $(if $(ALL),--all) $(if $(MUTANTS),--mutants $(MUTANTS)) \
	  $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(if $(TESTS),--tests $(TESTS))

.PHONY: audit
audit: contributor-tools ## Ask which vulnerabilities are known of what the locks pin
	@python requirements/audit.py

.PHONY: upgrade-pins
upgrade-pins: python-tools ## Look up newer versions of all that is pinned; write them: make upgrade-pins APPLY=true
	@python -m production.pins --inventory $(INVENTORY) $(if $(APPLY),--apply $(APPLY))

.PHONY: hooks
hooks: contributor-tools ## Have git check what is committed, with pre-commit
	@pre-commit install

.PHONY: windows
windows: tools ## Check the Windows plays, without Windows
	@python tests/run.py windows

.PHONY: molecule
molecule: tools ## Test the roles, or one: make molecule ROLE=haproxy; on Ubuntu 24.04: IMAGE=noble
	@HAL_MOLECULE_IMAGE=$(IMAGE) python -m tests.molecule $(ROLE)

.PHONY: test-qm
test-qm: tools ## Run the QM programs on this machine's OpenQM or ScarletDME
	@python tests/run.py qm

.PHONY: test-wine
test-wine: tools ## Run the gateway as a Windows service, under Wine
	@python tests/run.py wine

.PHONY: vm-tools
vm-tools:
	@lab/bootstrap.sh --for-vm

.PHONY: test-vm
test-vm: vm-tools ## Take a virtual machine with a kernel of its own through a host's life
	@python tests/run.py vm

.PHONY: test-household
test-household: tools ## Set hosts up by hand, adopt them, run site.yml, ask all that they had meanwhile
	@python tests/run.py household

.PHONY: test-hostile
test-hostile: tools ## Send the gateway and speech more rubbish: make test-hostile FRAMES=1000000 REQUESTS=100000
	@HAL_HOSTILE_FRAMES=$(FRAMES) HAL_HOSTILE_REQUESTS=$(REQUESTS) pytest -q --timeout=14400 --durations=3 \
	  tests/unit/gateway/test_gateway_hostile.py -k "not phantom" tests/unit/speech/test_speech_hostile.py

.PHONY: test-interruption
test-interruption: ## Kill site.yml at random points and run it again: make test-interruption KILLS=20 SEED=7
	@HAL_KILLS=$(KILLS) HAL_SEED=$(SEED) pytest -q -s tests/drills/test_interruption.py

.PHONY: test
test: test-tools ## Everything: lint, unit, roles, the lab end to end
	@python tests/run.py

.PHONY: bench
bench: tools ## Measure site.yml and the gateway, beside an older commit: make bench AGAINST=0.1.0
	@python -m bench.gateway
	@python -m bench.floods
	@python -m bench.converge $(if $(AGAINST),--against $(AGAINST))

.PHONY: lock
lock: tools ## Compile the hash-pinned locks in requirements/
	@requirements/lock.sh

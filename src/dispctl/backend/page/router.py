"""All of the page's routes; they are no part of the contract and so of its description."""

from fastapi import APIRouter

from dispctl.backend.page import assets, boards, entry, jars, jobs, overview, recipes

router = APIRouter(include_in_schema=False)
for module in (overview, entry, jars, recipes, jobs, boards, assets):
    router.include_router(module.router)
